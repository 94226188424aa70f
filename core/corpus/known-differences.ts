import type { Meaning, MeaningMember } from "./meaning.ts";
import type { Recording } from "./recordings.ts";

/** Something a translated answer may tell otherwise, and why it cannot be told. */
export interface KnownDifference {
  readonly reason: string;
  /** Dialects of the callers it concerns. */
  readonly callers: readonly string[];
  readonly members: readonly MeaningMember[];
  readonly applies: (expected: Meaning, actual: Meaning, recording: Recording) => boolean;
}

const messages = "anthropic-messages";
const responses = "openai-responses";
const chat = "openai-chat";
const stockRefusal = "The model declined to answer.";

/** Every entry has to be used, so that what is mended leaves the list. */
export const knownDifferences: readonly KnownDifference[] = [
  {
    reason: "the dialect has one answer per request; the first of several is given",
    callers: [responses, messages],
    members: ["choices"],
    applies: (expected, actual) => expected.choices > 1 && actual.choices === 1,
  },
  {
    reason: "the dialect always states counts; those the service did not report are 0",
    callers: [messages],
    members: ["input", "output"],
    applies: (expected, actual) =>
      expected.input === null && expected.output === null &&
      actual.input === 0 && actual.output === 0,
  },
  {
    reason: "the dialect states input in parts; this service counts cached tokens beside its total",
    callers: [messages],
    members: ["input"],
    applies: (expected, actual) =>
      expected.cached !== null && expected.input !== null && expected.cached > expected.input &&
      actual.input === expected.cached,
  },
  {
    reason: "the dialect has no part for a refusal; its words are the answer's text",
    callers: [messages],
    members: ["text", "refusal"],
    applies: (expected, actual) =>
      expected.refusal !== "" && actual.finish === "declined" &&
      actual.text === expected.text + expected.refusal,
  },
  {
    reason: "the answer was declined without a word; a stock sentence says so",
    callers: [chat, responses, messages],
    members: ["refusal"],
    applies: (expected, actual) =>
      expected.finish === "declined" && expected.refusal === "" && actual.refusal === stockRefusal,
  },
  {
    reason: "the dialect ends an answer with calls by asking for their results",
    callers: [chat, responses],
    members: ["finish"],
    applies: (expected, actual) =>
      expected.finish === "end" && expected.tools.length > 0 && actual.finish === "tool-use",
  },
];

const brokenCategories = ["midstream-error", "truncated-stream", "corrupt-frame"];

/** Answers that are broken without their category saying so, with the reason. */
export const alsoBroken: Readonly<Record<string, string>> = {
  "anthropic/stream-tool-parallel-4fe5d4": "the recorder spliced the streams of several messages",
  "bedrock-invoke/finish-stop-sequence-anthropic.claude-v2-3a1-8261c2":
    "Text Completions, the retired language before Messages",
  "bedrock-invoke/finish-stop-sequence-anthropic.claude-v2-c92aa9":
    "Text Completions, the retired language before Messages",
  "google-vertex/plain-text-model-5e240d": "malformed on purpose: its content has no parts",
  "google-vertex/streaming-text-model-90fc1b": "malformed on purpose: its content has no parts",
  "openai-responses/plain-text-gpt-5.6-sol-d389f0":
    "the first answer to a background call, which has only been queued",
};

/** Whether a recorded answer must be reported as a failure. */
export function isBroken({ name, categories }: Recording): boolean {
  return name in alsoBroken || categories.some((each) => brokenCategories.includes(each));
}

/** Answers without text, reasoning or calls that did not end for lack of room or by refusal, with the reason. */
export const silent: Readonly<Record<string, string>> = {
  "google/plain-text-model-c3e31f": "the model failed to say anything",
  "openai-chat/plain-text-gpt-4o-mini-audio-preview-886e5a": "spoken; sound has no counterpart",
  "openai-chat/plain-text-gpt-audio-c42e05": "spoken; sound has no counterpart",
  "openai-chat/plain-text-gpt-audio-mini-560c91": "spoken; sound has no counterpart",
  "openai-responses/plain-text-2d63d5": "asks the caller to apply a patch, a call of its own kind",
  "openai-responses/reasoning-3e434f":
    "asks the caller to approve a call, a request of its own kind",
};

/** Every recording named here. */
export const listedNames = [alsoBroken, silent].flatMap((table) => Object.keys(table));
