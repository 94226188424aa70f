import { RE2JS } from "re2js";

/** A regular expression that can be searched for in any text without danger. */
export interface Pattern {
  /**
   * Whether the pattern is found anywhere in the text, of which the first 256 KiB are looked at.
   *
   * Throws a `PatternFault` when the search takes longer than 20 ms.
   */
  test(text: string): boolean;
}

/** Why a pattern cannot be compiled or searched for. */
export class PatternFault extends Error {
  override readonly name = "PatternFault";
}

const maxPatternLength = 512;
const maxTextLength = 256 * 1024;
const maxRepeats = 1000;
const maxInstructions = 2000;
const maxSearchMs = 20;

/**
 * Compiles a regular expression of people we do not trust. The engine is RE2's: its time grows with the length
 * of the text alone, so there are no back references and no look-around; `(?i)` and its like are accepted.
 *
 * Throws a `PatternFault` for a pattern that is not valid, longer than 512 characters, or too large when its
 * repetitions are written out.
 */
export function compilePattern(
  source: string,
  monotonic: () => number = () => performance.now(),
): Pattern {
  if (source.length > maxPatternLength) {
    throw new PatternFault(
      `the pattern has ${source.length} characters; at most ${maxPatternLength} are allowed`,
    );
  }
  if (repeats(source) > maxRepeats) throw new PatternFault(tooLarge);
  const compiled = compile(source);
  const instructions = compiled.programSize();
  if (instructions > maxInstructions) throw new PatternFault(tooLarge);
  const engine = compiled.re2();
  // The engine's own search, with a look at the clock: linear time can still be long where many states are
  // followed at once.
  const watched: typeof engine = Object.create(engine, {
    executeEngine: {
      value(input: Input, ...rest: [unknown, unknown, unknown]) {
        watch(input, monotonic);
        return engine.executeEngine(input, ...rest);
      },
    },
  });
  return {
    test(text) {
      if (text.length * instructions < unwatchedWork) return engine.match(text);
      return watched.match(text.length > maxTextLength ? text.slice(0, maxTextLength) : text);
    },
  };
}

/** Characters times instructions up to which a search cannot take long, whatever the pattern. */
const unwatchedWork = 20_000;

const tooLarge =
  `the pattern is too large: its repetitions may add up to ${maxRepeats} and ${maxInstructions} steps`;

/** What the engine reads its text through. */
interface Input {
  step(position: number): number;
}

function watch(input: Input, monotonic: () => number): void {
  const step = input.step;
  let end = Infinity;
  let steps = 0;
  input.step = (position) => {
    if ((++steps & 31) === 0) {
      const now = monotonic();
      // Short texts end before the clock is looked at for the first time.
      if (end === Infinity) end = now + maxSearchMs;
      else if (now > end) throw new PatternFault(`the search took longer than ${maxSearchMs} ms`);
    }
    return step.call(input, position);
  };
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PatternFault(reason.replace(/^error parsing regexp: /, ""));
  }
}

/** Sum of the largest counts of all `{n}` and `{n,m}`: a bound that is cheap to know before compiling. */
function repeats(source: string): number {
  let sum = 0;
  for (const [, least, most] of source.matchAll(/\{(\d{1,5})(?:,(\d{0,5}))?\}/g)) {
    sum += Number(most || least);
  }
  return sum;
}
