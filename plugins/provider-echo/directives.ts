/** What an echo model's name asks for. */
export interface Directives {
  /** Milliseconds before the first content part. */
  readonly slowMs: number;
  /** Milliseconds between stream parts. */
  readonly paceMs: number;
  /** HTTP status to fail with before content. */
  readonly status?: number;
  /** Content parts after which the answer breaks off. */
  readonly failAfter?: number;
  /** Never answer. */
  readonly hang: boolean;
  /** Number of words to answer. */
  readonly words?: number;
  /** Number of parallel tool calls. */
  readonly toolCalls?: number;
  readonly json: boolean;
  readonly think: boolean;
  readonly ending?: "refuse" | "length" | "filter";
  readonly limits?: { readonly requests: number; readonly tokens: number };
  readonly usage: boolean;
}

type Draft = { -readonly [Name in keyof Directives]: Directives[Name] };

/** One directive: its spelling after a hyphen, and what it does. Answers false for a number out of bounds. */
type Rule = readonly [pattern: RegExp, apply: (draft: Draft, ...numbers: number[]) => boolean];

const longestWaitMs = 600_000;
const mostWords = 200_000;
const mostToolCalls = 128;

const rules: readonly Rule[] = [
  [/^slow-(\d+)ms/, (draft, ms) => (draft.slowMs = ms!) <= longestWaitMs],
  [/^pace-(\d+)ms/, (draft, ms) => (draft.paceMs = ms!) <= longestWaitMs],
  [/^status-(\d+)/, (draft, status) => (draft.status = status!) >= 400 && status! <= 599],
  [/^fail-after-(\d+)/, (draft, parts) => Number.isSafeInteger(draft.failAfter = parts!)],
  [/^hang/, (draft) => draft.hang = true],
  [/^tokens-(\d+)/, (draft, words) => (draft.words = words!) <= mostWords],
  [/^tool-(\d+)/, (draft, calls) => (draft.toolCalls = calls!) >= 1 && calls! <= mostToolCalls],
  [/^tool/, (draft) => (draft.toolCalls = 1) === 1],
  [/^json/, (draft) => draft.json = true],
  [/^think/, (draft) => draft.think = true],
  [/^(?:refuse|length|filter)/, () => true],
  [/^limits-(\d+)-(\d+)/, (draft, requests, tokens) => {
    draft.limits = { requests: requests!, tokens: tokens! };
    return requests! <= 1e12 && tokens! <= 1e12;
  }],
  [/^nousage/, (draft) => !(draft.usage = false)],
];

/** Reads a model's name such as `echo-slow-200ms-status-503`; undefined when it holds an unknown directive. */
export function parseDirectives(model: string): Directives | undefined {
  if (model.length > 500 || !/^echo(-|$)/.test(model)) return undefined;
  const draft: Draft = {
    slowMs: 0,
    paceMs: 0,
    hang: false,
    json: false,
    think: false,
    usage: true,
  };
  let rest = model.slice("echo".length);
  while (rest !== "") {
    const directive = rest.slice(1);
    const taken = take(directive, draft);
    if (rest[0] !== "-" || taken === undefined) return undefined;
    rest = directive.slice(taken.length);
    if (/^(refuse|length|filter)$/.test(taken)) {
      draft.ending = taken as Directives["ending"] & string;
    }
  }
  return draft;
}

/** Applies the first rule that fits and answers the text it took; a directive ends at a hyphen or at the end. */
function take(directive: string, draft: Draft): string | undefined {
  for (const [pattern, apply] of rules) {
    const match = pattern.exec(directive);
    if (match === null) continue;
    const after = directive[match[0].length];
    if (after !== undefined && after !== "-") continue;
    return apply(draft, ...match.slice(1).map(Number)) ? match[0] : undefined;
  }
  return undefined;
}
