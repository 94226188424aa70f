import { deepEqual, equal, ok, throws } from "node:assert/strict";
import type { AnswerContext, Dialect, Frame, OutgoingError } from "../contract/dialect.ts";
import type { Call, Operation } from "../contract/call.ts";
import { type ErrorCode, errorTable } from "../contract/errors.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Part } from "../contract/part.ts";
import { assembleParts } from "../kit/assemble-parts.ts";
import { writeFrame } from "../kit/sse.ts";
import { withCanonicalChecks } from "./canonical.ts";
import type { Case } from "./case.ts";
import { streamLossCases } from "./stream-losses.ts";
import { asStream, readFrames } from "./streams.ts";
import { tapCases } from "./taps.ts";

/** What the suite needs of a dialect: examples of its wire form, each with a name that stands in the titles. */
export interface DialectSubject {
  create(): Dialect;
  /** The provider family that signed the reasoning in the examples, where the dialect keeps signatures apart. */
  readonly family?: string;
  readonly requests: readonly RequestExample[];
  readonly answers: readonly AnswerExample[];
  readonly streams: readonly StreamExample[];
}

/** A request body. */
export interface RequestExample {
  readonly name: string;
  readonly operation?: Operation;
  readonly body: JsonObject;
  /** The body an encoder writes for it; the body itself when absent. */
  readonly written?: JsonObject;
}

/** A plain answer. */
export interface AnswerExample {
  readonly name: string;
  readonly operation?: Operation;
  readonly body: JsonObject;
}

/** A streamed answer, with LF line ends and a blank line behind each frame. */
export interface StreamExample {
  readonly name: string;
  readonly text: string;
  /** The same answer in plain form. */
  readonly plain: JsonObject;
  /** Frames behind which the answer counts as whole; all of them when absent. */
  readonly wholeAfter?: number;
}

/**
 * What every `Dialect` must do; an inbound one is also tested for its tap, errors and lists. Throughout, every Call,
 * Part, StreamPart and Warning that passes is held to its published schema.
 */
export function dialectCases(subject: DialectSubject): readonly Case[] {
  const { family = "test" } = subject;
  const create = (): Dialect => withCanonicalChecks(subject.create());
  const base: AnswerContext = { ...baseContext, family };
  return [
    ...subject.requests.flatMap((example) => requestCases(create, example, family)),
    ...subject.answers.flatMap((example) => answerCases(create, example, base)),
    ...subject.streams.flatMap((example) => streamCases(create, example, base)),
    ...streamLossCases(create, subject.streams, base),
    ...subject.streams.flatMap((example) => tapCases(create, example)),
    ...toolCases(create),
    ...errorCases(create),
    ...modelCases(create),
  ];
}

const baseContext: AnswerContext = {
  operation: "chat",
  requestId: "req-0001",
  stream: false,
  now: 1_700_000_000,
  model: "some-model",
  includeUsage: true,
  family: "test",
};

function requestCases(
  create: () => Dialect,
  example: RequestExample,
  family: string,
): Case[] {
  const { body, operation = "chat" } = example;
  const encode = (dialect: Dialect, call: Call): JsonObject =>
    plain(dialect.encodeRequest(call, { model: call.model, family }).value);
  return [
    {
      name: `request "${example.name}" keeps its meaning when decoded and encoded`,
      run() {
        const dialect = create();
        const before = JSON.stringify(body);
        const { value: call } = dialect.decodeRequest(body, operation);
        equal(call.operation, operation);
        deepEqual(encode(dialect, call), plain(example.written ?? body));
        equal(JSON.stringify(body), before, "the body was changed");
      },
    },
    {
      name: `request "${example.name}" survives a copy of its call`,
      run() {
        const dialect = create();
        const { value: call } = dialect.decodeRequest(body, operation);
        deepEqual(encode(dialect, structuredClone(call)), encode(dialect, call));
      },
    },
    {
      name: `request "${example.name}" is inspected and validated`,
      skip: create().inbound ? undefined : "the dialect is outbound only",
      run() {
        const inbound = create().inbound!;
        inbound.validate(body, operation);
        const facts = inbound.inspect(body, operation);
        ok(Number.isInteger(facts.inputTokens) && facts.inputTokens > 0);
        equal(facts.stream, body["stream"] === true);
        for (const { role, content } of facts.messages) {
          equal(typeof role, "string");
          equal(typeof content, "string");
        }
      },
    },
  ].map(withoutUndefinedSkip);
}

function answerCases(
  create: () => Dialect,
  example: AnswerExample,
  base: AnswerContext,
): Case[] {
  const { body, operation = "chat" } = example;
  return [
    {
      name: `answer "${example.name}" encodes back to itself`,
      run() {
        const dialect = create();
        const { value: parts } = dialect.decodeResponse(body, operation);
        const context = { ...base, operation };
        deepEqual(plain(dialect.encodeResponse(parts, context).value), plain(body));
      },
    },
    {
      name: `answer "${example.name}" keeps its meaning without original spellings`,
      run() {
        const dialect = create();
        const parts = bare(dialect.decodeResponse(body, operation).value);
        const context = { ...base, operation };
        const again = plain(dialect.encodeResponse(parts, context).value);
        deepEqual(bare(dialect.decodeResponse(again, operation).value), parts);
      },
    },
    {
      name: `answer "${example.name}" tells the same when read along`,
      run() {
        const dialect = create();
        const parts = dialect.decodeResponse(body, operation).value;
        const facts = dialect.readAnswer(body, operation);
        deepEqual(facts.tokens, parts.find((part) => part.type === "usage")?.tokens);
        deepEqual(facts.finish, parts.find((part) => part.type === "finish")?.reason);
        ok(facts.estimatedOutputTokens >= 0);
      },
    },
  ];
}

function streamCases(
  create: () => Dialect,
  example: StreamExample,
  base: AnswerContext,
): Case[] {
  const frames = readFrames(example.text);
  const decode = (dialect: Dialect, from: readonly Frame[]): Part[] => {
    const decoder = dialect.streamDecoder();
    return assembleParts([...from.flatMap((frame) => [...decoder.push(frame)]), ...decoder.end()]);
  };
  return [
    {
      name: `stream "${example.name}" assembles to its plain form`,
      run() {
        const dialect = create();
        const context = base;
        const assembled = decode(dialect, frames);
        deepEqual(bare(assembled), bare(dialect.decodeResponse(example.plain, "chat").value));
        deepEqual(plain(dialect.encodeResponse(assembled, context).value), plain(example.plain));
      },
    },
    {
      name: `stream "${example.name}" keeps its meaning when encoded again`,
      run() {
        const dialect = create();
        const decoder = dialect.streamDecoder();
        const parts = [
          ...frames.flatMap((frame) => [...decoder.push(frame)]),
          ...decoder.end(),
        ];
        const encoder = dialect.streamEncoder({ ...base, stream: true });
        const written = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
        const again = decode(dialect, readFrames(written.map(writeFrame).join("")));
        deepEqual(plain(again), plain(assembleParts(parts)));
      },
    },
    {
      name: `stream "${example.name}" is refused when it is cut off`,
      run() {
        const whole = example.wholeAfter ?? frames.length;
        for (let kept = 0; kept < whole; kept++) {
          throws(
            () => decode(create(), frames.slice(0, kept)),
            { code: "upstream_invalid_response" },
            `after ${kept} frames`,
          );
        }
        decode(create(), frames.slice(0, whole));
      },
    },
  ];
}

/** A conversation in which two tools were called at once, in no dialect's spelling. */
const toolCall: Call = {
  operation: "chat",
  model: "some-model",
  stream: false,
  system: [{ text: "Be exact. – Sei genau. 正確に。" }],
  turns: [
    { role: "user", parts: [{ type: "text", text: "Weather in Köln and 東京? 🌦" }] },
    {
      role: "assistant",
      parts: [
        { type: "tool-call", id: "call_1", name: "weather", input: { city: "Köln" } },
        { type: "tool-call", id: "call_2", name: "weather", input: { city: "東京", days: 2 } },
      ],
    },
    {
      role: "tool",
      parts: [
        { type: "tool-result", callId: "call_1", content: [{ type: "text", text: "rain" }] },
        { type: "tool-result", callId: "call_2", content: [{ type: "text", text: "sun 🌞" }] },
      ],
    },
  ],
  tools: [{
    type: "function",
    name: "weather",
    description: "Tells the weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city"],
    },
  }],
  toolChoice: { type: "tool", name: "weather" },
  sampling: {},
  maxOutputTokens: 256,
  extras: {},
};

const toolAnswer: readonly Part[] = [
  { type: "start", id: "answer-1", model: "some-model", created: 1_700_000_000 },
  { type: "text", choice: 0, text: "Let me see – 少々お待ちください 🌦" },
  { type: "tool-call", choice: 0, id: "call_1", name: "weather", arguments: '{"city":"Köln"}' },
  { type: "tool-call", choice: 0, id: "call_2", name: "weather", arguments: '{"city":"東京"}' },
  {
    type: "usage",
    tokens: {
      inputUncached: 20,
      inputCacheRead: 10,
      inputCacheWrite5m: null,
      inputCacheWrite1h: null,
      output: 7,
      reasoning: null,
      audioInput: null,
      audioOutput: null,
    },
  },
  { type: "finish", choice: 0, reason: "tool-use" },
];

function toolCases(create: () => Dialect): Case[] {
  return [
    {
      name: "a conversation with parallel tool calls survives the round trip",
      run() {
        const dialect = create();
        const options = { model: "some-model", family: "test" };
        const body = plain(dialect.encodeRequest(toolCall, options).value);
        const { value: call, warnings } = dialect.decodeRequest(body, "chat");
        deepEqual(warnings, []);
        deepEqual(call.system.map(({ text }) => text), toolCall.system.map(({ text }) => text));
        deepEqual(contents(call), contents(toolCall));
        deepEqual(call.tools.map(withoutOrigin), toolCall.tools);
        deepEqual(call.toolChoice, toolCall.toolChoice);
        equal(call.maxOutputTokens, toolCall.maxOutputTokens);
      },
    },
    {
      name: "an answer with parallel tool calls survives the round trip, plain and streamed",
      run() {
        const dialect = create();
        const body = plain(dialect.encodeResponse(toolAnswer, baseContext).value);
        deepEqual(said(dialect.decodeResponse(body, "chat").value), said(toolAnswer));
        const encoder = dialect.streamEncoder({ ...baseContext, stream: true });
        const frames = [...asStream(toolAnswer).flatMap((part) => [...encoder.push(part)])];
        const text = [...frames, ...encoder.end()].map(writeFrame).join("");
        const decoder = dialect.streamDecoder();
        const parts = readFrames(text).flatMap((frame) => [...decoder.push(frame)]);
        deepEqual(said(assembleParts([...parts, ...decoder.end()])), said(toolAnswer));
      },
    },
  ];
}

function errorCases(create: () => Dialect): Case[] {
  const skip = create().inbound ? undefined : "the dialect is outbound only";
  const outgoing = (code: ErrorCode): OutgoingError => ({
    ...errorTable[code],
    code,
    message: `Something about ${code}: “quoted”\nand more`,
    requestId: "req-0001",
  });
  const codes = Object.keys(errorTable) as ErrorCode[];
  return [
    {
      name: "every error code is written so that the dialect reads it again",
      skip,
      run() {
        const dialect = create();
        for (const code of codes) {
          const error = outgoing(code);
          const body = JSON.stringify(dialect.inbound!.encodeError(error));
          const read = dialect.decodeError(error.status, body);
          equal(read.recognised, true);
          equal(read.message, error.message);
          ok(typeof read.type === "string" && read.type !== "", code);
        }
      },
    },
    {
      name: "an error frame fails a stream that has begun",
      skip,
      run() {
        const dialect = create();
        const error = outgoing("upstream_unreachable");
        const tap = dialect.inbound!.tap({ keepUsage: true });
        const result = tap.push(new TextEncoder().encode(dialect.inbound!.errorFrame(error, 1)));
        equal(result.error?.message, error.message);
        equal(result.started, false);
        equal(tap.facts().complete, false);
        const decoder = dialect.streamDecoder();
        const frames = readFrames(dialect.inbound!.errorFrame(error, 1));
        const parts = frames.flatMap((frame) => [...decoder.push(frame)]);
        equal(parts.at(-1)?.type, "error");
        deepEqual(decoder.end(), []);
      },
    },
    {
      name: "bodies that are no errors of the dialect are still read",
      run() {
        const dialect = create();
        const bodies = [
          "",
          "Bad Gateway",
          "<html><body>502</body></html>",
          "null",
          "[]",
          "{}",
          "{",
        ];
        for (const body of bodies) {
          const error = dialect.decodeError(502, body);
          equal(error.recognised, false, body);
          ok(error.message.length > 0, body);
        }
      },
    },
    {
      name: "answers of the wrong shape are refused",
      run() {
        const dialect = create();
        for (const body of [{}, { error: { message: "no" } }, { choices: 1 }, { message: "hi" }]) {
          const refused = { code: "upstream_invalid_response" };
          throws(() => dialect.decodeResponse(body, "chat"), refused);
          throws(() => dialect.readAnswer(body, "chat"), refused);
        }
        const decoder = dialect.streamDecoder();
        throws(() => decoder.end(), { code: "upstream_invalid_response" });
      },
    },
    {
      name: "requests without a model or messages are refused by the member's name",
      skip,
      run() {
        const { validate } = create().inbound!;
        const refused = { code: "invalid_request", param: "model" };
        for (const model of [undefined, null, "", 7, {}]) {
          throws(() => validate({ ...(model === undefined ? {} : { model }) }, "chat"), refused);
        }
        throws(() => validate({ model: "m" }, "chat"), { code: "invalid_request" });
      },
    },
  ].map(withoutUndefinedSkip);
}

function modelCases(create: () => Dialect): Case[] {
  const inbound = create().inbound;
  const skip = inbound?.encodeModels ? undefined : "the dialect has no models list";
  const models = ["delta", "alpha", "charlie", "bravo"].map((id) => ({
    id,
    created: 1_700_000_000,
    description: null,
    provider: "echo",
    model: "echo",
  }));
  const ids = (body: JsonObject): unknown[] =>
    (body["data"] as readonly JsonObject[]).map((model) => model["id"]);
  return [{
    name: "the models list is sorted and paged in both directions",
    skip,
    run() {
      const list = create().inbound!.encodeModels!;
      deepEqual(ids(list(models, {})), ["alpha", "bravo", "charlie", "delta"]);
      const first = list(models, { limit: 2 });
      deepEqual(ids(first), ["alpha", "bravo"]);
      deepEqual(
        [first["has_more"], first["first_id"], first["last_id"]],
        [true, "alpha", "bravo"],
      );
      const next = list(models, { limit: 2, afterId: "bravo" });
      deepEqual(ids(next), ["charlie", "delta"]);
      equal(next["has_more"], false);
      deepEqual(ids(list(models, { limit: 1, beforeId: "charlie" })), ["bravo"]);
      deepEqual(ids(list([], {})), []);
      equal(create().inbound!.encodeModel!(models[0]!)["id"], "delta");
    },
  }].map(withoutUndefinedSkip);
}

function contents(call: Call): unknown {
  return call.turns.flatMap(({ parts }) => parts).map((part) => {
    if (part.type === "tool-call") return [part.type, part.id, part.name, part.input];
    if (part.type === "tool-result") {
      return [part.type, part.callId, part.content.map((each) => "text" in each ? each.text : "")];
    }
    return part.type === "text" ? [part.type, part.text] : part.type;
  });
}

/** What an answer says, leaving aside what a provider's totals and spellings add. */
function said(parts: readonly Part[]): unknown {
  return bare(parts).map((part) => {
    // An answer's id is its dialect's to make, and not every dialect has a place for the model.
    if (part.type === "start") {
      return { ...part, id: "", created: 0, model: part.model ?? baseContext.model };
    }
    if (part.type !== "usage") return part;
    const { inputUncached, inputCacheRead, output } = part.tokens;
    return { type: part.type, inputUncached, inputCacheRead, output };
  });
}

/** Parts without original spellings. */
export function bare(parts: readonly Part[]): Part[] {
  return parts.filter((part) => part.type !== "native").map((part) => {
    const copy: Record<string, unknown> = { ...part };
    delete copy["native"];
    delete copy["raw"];
    // Members that every part can do without were taken out.
    return copy as unknown as Part;
  });
}

/** A tool without its spelling and its place in the body it was read from. */
function withoutOrigin(tool: Call["tools"][number]): object {
  return Object.fromEntries(
    Object.entries(tool).filter(([name]) => !["native", "path", "parametersPath"].includes(name)),
  );
}

function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

function withoutUndefinedSkip(each: Omit<Case, "skip"> & { skip?: string | undefined }): Case {
  const { skip, ...rest } = each;
  return skip === undefined ? rest : { ...rest, skip };
}
