import type { FinishReason, Json, JsonObject, Part, Tokens } from "../contract/index.ts";

/**
 * What must be the same for every reader of an answer, whichever dialect it is read in:
 *
 * - the visible text, all text blocks joined;
 * - the reasoning text, all reasoning blocks joined;
 * - the words of a refusal;
 * - the calls of the caller's tools, with names and arguments as JSON values, in order;
 * - the class of the finish (see `finishClass`);
 * - tokens that went in, came out, and were read from a cache; null where the service did not report them.
 *
 * Borders between blocks, ids, citations and native blocks are the dialects' own suites' business.
 */
export interface Meaning {
  readonly choices: number;
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly tools: readonly { readonly name: string; readonly arguments: Json }[];
  readonly finish: FinishClass | "none";
  readonly input: number | null;
  readonly output: number | null;
  readonly cached: number | null;
}

/** Names of what is compared. */
export type MeaningMember = keyof Meaning;

/** Finish reasons as far as all dialects can tell them apart. */
export type FinishClass = "end" | "length" | "tool-use" | "declined";

const classes: Readonly<Record<FinishReason, FinishClass>> = {
  "end": "end",
  "stop-sequence": "end",
  "pause": "end",
  "malformed-output": "end",
  "length": "length",
  "context-exceeded": "length",
  "tool-use": "tool-use",
  "malformed-tool": "tool-use",
  // One dialect has one word for both.
  "content-filter": "declined",
  "refusal": "declined",
};

/** The meaning of an answer's first choice. */
export function meaningOf(parts: readonly Part[]): Meaning {
  const choices = new Set<number>([0]);
  let text = "";
  let reasoning = "";
  let refusal = "";
  const tools: { name: string; arguments: Json }[] = [];
  let finish: Meaning["finish"] = "none";
  let tokens: Tokens | undefined;
  for (const part of parts) {
    if ("choice" in part) choices.add(part.choice);
    if (part.type === "usage") tokens = part.tokens;
    if (!("choice" in part) || part.choice !== 0) continue;
    if (part.type === "text") text += part.text;
    else if (part.type === "reasoning") reasoning += part.text;
    else if (part.type === "refusal") refusal += part.text;
    else if (part.type === "tool-call" && !part.server) {
      tools.push({ name: part.name, arguments: readArguments(part.arguments) });
    } else if (part.type === "finish") finish = classes[part.reason];
  }
  return {
    choices: choices.size,
    text,
    reasoning,
    refusal,
    tools,
    finish,
    ...counts(tokens),
  };
}

/** Members in which two meanings differ. */
export function differences(expected: Meaning, actual: Meaning): MeaningMember[] {
  const members = Object.keys(expected) as MeaningMember[];
  return members.filter((name) => !same(expected[name] as Json, actual[name] as Json));
}

/** Whether two JSON values are equal, whatever the order of members. */
export function same(one: Json, other: Json): boolean {
  return ordered(one) === ordered(other);
}

function ordered(value: Json): string {
  return JSON.stringify(
    value,
    (_name, each: unknown) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1))
        : each,
  );
}

function counts(tokens: Tokens | undefined): Pick<Meaning, "input" | "output" | "cached"> {
  if (!tokens) return { input: null, output: null, cached: null };
  return {
    input: tokens.promptTotal ?? sum(
      tokens.inputUncached,
      tokens.inputCacheRead,
      tokens.inputCacheWrite5m,
      tokens.inputCacheWrite1h,
      tokens.audioInput,
    ),
    output: tokens.completionTotal ?? sum(tokens.output, tokens.reasoning, tokens.audioOutput),
    cached: tokens.inputCacheRead,
  };
}

function sum(...counts: readonly (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0);
}

/** Arguments that are no JSON, as a caller is given them. */
function readArguments(text: string): Json {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    return { _raw: text } as JsonObject;
  }
}
