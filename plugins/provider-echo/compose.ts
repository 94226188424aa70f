import { createHash } from "node:crypto";
import {
  type Call,
  type FinishReason,
  GatewayError,
  type StreamPart,
  type Tokens,
} from "@vmx/core/contract";
import { estimateTokens } from "@vmx/core/kit";
import type { Directives } from "./directives.ts";
import { minimalValue } from "./minimal-value.ts";

/** What an answer is made from. */
export interface Composition {
  readonly call: Call;
  readonly directives: Directives;
  readonly label: string | undefined;
  readonly id: string;
  /** Unix seconds. */
  readonly now: number;
  /** Estimated tokens of the request. */
  readonly inputTokens: number;
}

/** A content block before it is cut into stream parts. */
type Content =
  | { readonly type: "text" | "refusal"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string; readonly signature: string }
  | {
    readonly type: "tool-call";
    readonly id: string;
    readonly name: string;
    readonly arguments: string;
  };

/** Most answers one request may ask for. */
const mostChoices = 128;

/**
 * Composes the answer as a stream; the plain form is its assembly. Every `block-delta` is one content part.
 * Throws `invalid_request` when a reasoning signature was altered.
 */
export function* compose(composition: Composition): Generator<StreamPart> {
  const { call, directives, id, now } = composition;
  if (directives.think) checkSignatures(call);
  const { contents, reason } = contentsOf(composition);
  yield { type: "start", id, model: call.model, created: now };
  const choices = Math.min(Math.max(call.sampling.n ?? 1, 1), mostChoices);
  let index = 0;
  for (let choice = 0; choice < choices; choice++) {
    for (const content of contents) yield* blockOf(content, choice, index++);
    yield { type: "finish", choice, reason };
  }
  if (directives.usage) {
    yield { type: "usage", tokens: usageOf(composition, contents, choices) };
  }
}

function contentsOf(
  composition: Composition,
): { readonly contents: readonly Content[]; readonly reason: FinishReason } {
  const { call, directives } = composition;
  const thoughts = directives.think ? [thought(lastUserText(call))] : [];
  const toolCalls = toolCallsOf(composition);
  if (toolCalls.length > 0) return { contents: [...thoughts, ...toolCalls], reason: "tool-use" };
  if (directives.ending === "filter") return { contents: thoughts, reason: "content-filter" };
  if (directives.ending === "refuse") {
    const refusal = { type: "refusal", text: "I cannot answer that." } as const;
    return { contents: [...thoughts, refusal], reason: "refusal" };
  }
  const text = { type: "text", text: answerText(composition) } as const;
  const reason = directives.ending === "length" ? "length" : "end";
  return { contents: [...thoughts, text], reason };
}

function answerText({ call, directives, label }: Composition): string {
  const source = toolResultText(call) ?? lastUserText(call);
  if (directives.json) {
    const value = call.output?.type === "json-schema"
      ? minimalValue(call.output.schema)
      : { echo: source };
    return JSON.stringify(value);
  }
  if (directives.words !== undefined) {
    const words = source.match(/\S+/g) ?? ["echo"];
    return Array.from({ length: directives.words }, (_, at) => words[at % words.length]).join(" ");
  }
  return label === undefined ? source : `${label} ${source}`;
}

/** Calls of the first offered tool, unless a tool has just answered or tools are not wanted. */
function toolCallsOf({ call, directives, id }: Composition): Content[] {
  const wanted = directives.toolCalls ?? 0;
  const { toolChoice } = call;
  if (wanted === 0 || toolChoice?.type === "none" || toolResultText(call) !== undefined) return [];
  const offered = call.tools.flatMap((tool) => tool.type === "function" ? [tool.name] : []);
  const allowed = toolChoice?.type === "tool"
    ? [toolChoice.name]
    : toolChoice?.type === "allowed"
    ? toolChoice.names
    : offered;
  const name = offered.find((each) => allowed.includes(each));
  if (name === undefined) return [];
  const count = call.parallelToolCalls === false ? 1 : wanted;
  return Array.from({ length: count }, (_, at) => ({
    type: "tool-call",
    id: `call_${digest(`${id}:${at}`).slice(0, 24)}`,
    name,
    arguments: JSON.stringify({ echo: lastUserText(call) }),
  }));
}

function* blockOf(content: Content, choice: number, index: number): Generator<StreamPart> {
  if (content.type === "tool-call") {
    const { id, name } = content;
    const block = { type: "tool-call", choice, id, name, arguments: "" } as const;
    yield { type: "block-start", index, block };
  } else {
    yield { type: "block-start", index, block: { type: content.type, choice, text: "" } };
  }
  const text = content.type === "tool-call" ? content.arguments : content.text;
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) {
    yield { type: "block-delta", index, text: word };
  }
  if (content.type === "reasoning") {
    yield { type: "block-delta", index, signature: content.signature };
  }
  yield { type: "block-end", index };
}

function usageOf(
  { directives, inputTokens }: Composition,
  contents: readonly Content[],
  choices: number,
): Tokens {
  const sum = (wanted: (content: Content) => boolean, text: (content: Content) => string): number =>
    contents.filter(wanted).reduce((total, each) => total + estimateTokens(text(each)), 0);
  const reasoning = sum(
    (content) => content.type === "reasoning",
    (content) => (content as { text: string }).text,
  );
  const visible = sum(
    (content) => content.type !== "reasoning",
    (content) => content.type === "tool-call" ? content.name + content.arguments : content.text,
  );
  // Asked for a number of tokens, the whole completion has that number, thoughts included.
  const output = directives.words === undefined
    ? visible
    : Math.max(0, directives.words - reasoning);
  return {
    inputUncached: inputTokens,
    inputCacheRead: 0,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: output * choices,
    reasoning: Math.min(reasoning, directives.words ?? reasoning) * choices,
    audioInput: null,
    audioOutput: null,
  };
}

function thought(text: string): Content {
  const thinking = `The answer repeats: ${text}`;
  return { type: "reasoning", text: thinking, signature: signatureOf(thinking) };
}

function checkSignatures({ turns }: Call): void {
  for (const part of turns.flatMap((turn) => turn.parts)) {
    if (part.type !== "reasoning" || part.signature === undefined) continue;
    if (part.signature === signatureOf(part.text)) continue;
    throw new GatewayError("invalid_request", "The signature of a reasoning part was altered");
  }
}

function signatureOf(text: string): string {
  return `echo:${digest(`thought:${text}`)}`;
}

/** The text of the last user turn that has some. */
function lastUserText({ turns }: Call): string {
  for (const turn of turns.toReversed()) {
    if (turn.role !== "user") continue;
    const text = turn.parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n");
    if (text !== "") return text;
  }
  return "";
}

/** The results in the last turn, when it is a tool's. */
function toolResultText({ turns }: Call): string | undefined {
  const last = turns.at(-1);
  const results = last?.parts.filter((part) => part.type === "tool-result") ?? [];
  if (results.length === 0) return undefined;
  return results.flatMap((result) =>
    result.content.flatMap((part) => part.type === "text" ? [part.text] : [])
  ).join("\n");
}

/** A short text that depends on nothing but its input. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}
