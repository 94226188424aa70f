import { deepEqual, ok } from "node:assert/strict";
import type { AnswerContext, Dialect } from "../contract/dialect.ts";
import type { JsonObject } from "../contract/json.ts";
import type { FinishReason, Part } from "../contract/part.ts";
import type { Warning } from "../contract/warning.ts";
import type { Case } from "./case.ts";
import type { StreamExample } from "./dialects.ts";
import { asStream, readFrames } from "./streams.ts";

const reasons: readonly FinishReason[] = [
  "end",
  "stop-sequence",
  "length",
  "context-exceeded",
  "tool-use",
  "content-filter",
  "refusal",
  "pause",
  "malformed-tool",
  "malformed-output",
];
const unheardOf = "never-heard-of";

/** What is lost of a streamed answer is told as it is of the plain one. */
export function streamLossCases(
  create: () => Dialect,
  examples: readonly StreamExample[],
  context: AnswerContext,
): Case[] {
  return [
    ...examples.flatMap((example) => readingCases(create, example)),
    ...reasons.map((reason): Case => ({
      name: `an answer that ends with "${reason}" loses the same plain and streamed`,
      run: () => deepEqual(...lossesOfWriting(create(), answerEnding(reason), context)),
    })),
    {
      name: "parts of other dialects are lost with the same warnings plain and streamed",
      run() {
        const [streamed, plain] = lossesOfWriting(create(), foreignAnswer, context);
        deepEqual(streamed, plain);
        ok(plain.length > 0, "nothing was told");
      },
    },
    {
      name: "arguments that are no JSON are told of alike plain and streamed, or stay as they are",
      run() {
        const answer = answerCalling({ name: "look", arguments: '{"a":' });
        const { plain, streamed, text } = written(create(), answer, context);
        deepEqual(streamed.map(placed), plain.map(placed));
        const isText = text.includes(JSON.stringify('{"a":').slice(1, -1)) && !/_raw/.test(text);
        ok(isText || plain.some(({ code }) => code === "tool_arguments_not_json"), text);
      },
    },
    {
      name: "a tool the provider ran by itself is written, or told of alike plain and streamed",
      run() {
        const answer = answerCalling({ name: "code_execution", arguments: "{}", server: true });
        const { plain, streamed, text } = written(create(), answer, context);
        deepEqual(streamed.map(placed), plain.map(placed));
        const told = plain.some(({ detail }) => detail === "code_execution");
        ok(text.includes("code_execution") !== told, `${text} ${JSON.stringify(plain)}`);
      },
    },
  ];
}

function readingCases(create: () => Dialect, { name, text, plain }: StreamExample): Case[] {
  const raw = create().readAnswer(plain, "chat").finishRaw;
  const word = JSON.stringify(raw ?? "");
  const isWord = raw !== undefined && text.includes(word);
  return [
    {
      name: `stream "${name}" tells what its plain form tells`,
      run: () => deepEqual(...lossesOfReading(create(), text, plain)),
    },
    {
      name: `stream "${name}" tells of a finish reason nobody has heard of`,
      ...(isWord ? {} : { skip: "the stream has no word for its end" }),
      run() {
        const changed = (from: string) => from.replaceAll(word, JSON.stringify(unheardOf));
        const answer: JsonObject = JSON.parse(changed(JSON.stringify(plain)));
        const [streamed, whole] = lossesOfReading(create(), changed(text), answer);
        deepEqual(streamed, whole);
        const told = whole.some((warning) => warning.includes("unknown_finish_reason"));
        // A prompt that was refused needs no word for why the answer ended.
        ok(told || create().readAnswer(answer, "chat").finish === "content-filter");
      },
    },
  ];
}

type Losses = [streamed: string[], plain: string[]];

function lossesOfReading(dialect: Dialect, text: string, plain: JsonObject): Losses {
  const decoder = dialect.streamDecoder();
  for (const frame of readFrames(text)) decoder.push(frame);
  decoder.end();
  return [sorted(decoder.warnings), sorted(dialect.decodeResponse(plain, "chat").warnings)];
}

function lossesOfWriting(
  dialect: Dialect,
  parts: readonly Part[],
  context: AnswerContext,
): Losses {
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  for (const part of asStream(parts)) encoder.push(part);
  encoder.end();
  return [sorted(encoder.warnings), sorted(dialect.encodeResponse(parts, context).warnings)];
}

/** What an answer's plain and streamed form lose, and how the plain one looks. */
function written(dialect: Dialect, parts: readonly Part[], context: AnswerContext) {
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  for (const part of asStream(parts)) encoder.push(part);
  encoder.end();
  const { value, warnings } = dialect.encodeResponse(parts, context);
  return { plain: warnings, streamed: encoder.warnings ?? [], text: JSON.stringify(value) };
}

/** What a warning says whichever way the answer went: pieces of a stream cannot be taken back. */
function placed({ code, path }: Warning): string {
  return `${code} ${path}`;
}

function answerCalling(call: { name: string; arguments: string; server?: boolean }): Part[] {
  return [
    { type: "start", id: "answer-1", model: "some-model" },
    { type: "text", choice: 0, text: "Let me see" },
    { type: "tool-call", choice: 0, id: "call_1", ...call },
    { type: "finish", choice: 0, reason: "tool-use" },
  ];
}

function answerEnding(reason: FinishReason): Part[] {
  return [
    { type: "start", id: "answer-1", model: "some-model" },
    { type: "text", choice: 0, text: "So far" },
    { type: "finish", choice: 0, reason },
  ];
}

const foreignAnswer: readonly Part[] = [
  { type: "start", id: "answer-1", model: "some-model" },
  { type: "text", choice: 0, text: "See" },
  {
    type: "native",
    choice: 0,
    kind: "hologram",
    native: { dialect: "of-nobody", value: { light: 1 } },
  },
  { type: "finish", choice: 0, reason: "end" },
];

/** Order tells nothing: a stream meets its losses when it meets them. */
function sorted(warnings: readonly Warning[] = []): string[] {
  return warnings.map((warning) => JSON.stringify(warning)).sort();
}
