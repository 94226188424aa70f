import { expect, test } from "vitest";
import type { AnswerContext, Frame, JsonObject, Part, StreamPart } from "@vmx/core/contract";
import { assembleParts } from "@vmx/core/kit";
import { decodeRequest } from "./decode-request.ts";
import { anthropicMessages as dialect } from "./dialect.ts";
import { withoutMarks } from "./without-marks.ts";

const context: AnswerContext = {
  operation: "chat",
  requestId: "req-1",
  stream: false,
  now: 1_700_000_000,
  model: "some-model",
  includeUsage: true,
  family: "elsewhere",
};

const message = (content: JsonObject[], stop_reason = "end_turn"): JsonObject => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-test",
  content,
  stop_reason,
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2 },
});

const decode = (body: JsonObject, toolNames?: ReadonlyMap<string, string>): readonly Part[] =>
  dialect.decodeResponse(body, "chat", toolNames ? { toolNames } : {}).value;

const finish: Part & StreamPart = { type: "finish", choice: 0, reason: "end" };

function encodeStream(parts: readonly StreamPart[]): JsonObject[] {
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  const frames = [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
  return frames.map((frame) => {
    const event = JSON.parse(frame.data) as JsonObject;
    expect(frame.event).toBe(event["type"]);
    return event;
  });
}

/** The answer a stream adds up to, which must be the plain one. */
function addUp(events: readonly JsonObject[]): Part[] {
  const decoder = dialect.streamDecoder();
  const frames: Frame[] = events.map((event) => ({ data: JSON.stringify(event) }));
  return assembleParts([...frames.flatMap((frame) => [...decoder.push(frame)]), ...decoder.end()]);
}

test("the stand-in tool is read as the answer's text, and tool names as the caller's", () => {
  const call = (name: string, input: JsonObject): JsonObject => ({
    type: "tool_use",
    id: "toolu_1",
    name,
    input,
  });
  const parts = decode(message([call("vmx_structured_output", { a: 1 })], "tool_use"));
  expect(parts).toContainEqual({ type: "text", choice: 0, text: '{"a":1}' });
  expect(parts.at(-1)).toMatchObject({ type: "finish", reason: "end" });

  const list = decode(message([call("vmx_structured_output_value", { value: [1] })], "tool_use"));
  expect(list).toContainEqual({ type: "text", choice: 0, text: "[1]" });

  const named = decode(message([call("a_b", {})], "tool_use"), new Map([["a_b", "a.b"]]));
  expect(named).toContainEqual(expect.objectContaining({ type: "tool-call", name: "a.b" }));
  expect(named.at(-1)).toMatchObject({ reason: "tool-use" });
});

test("the stand-in tool streams as text", () => {
  const stream = (name: string, text: string): Part[] =>
    addUp([
      { type: "message_start", message: message([], "") },
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "t", name, input: {} },
      },
      ...[text.slice(0, 4), text.slice(4)].map((partial_json) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json },
      })),
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 2 } },
      { type: "message_stop" },
    ]);
  const whole = stream("vmx_structured_output", '{"a": 1}');
  expect(whole).toContainEqual({ type: "text", choice: 0, text: '{"a": 1}' });
  expect(whole.at(-1)).toMatchObject({ reason: "end" });
  const wrapped = stream("vmx_structured_output_value", '{"value": [1]}');
  expect(wrapped).toContainEqual({ type: "text", choice: 0, text: "[1]" });
});

test("a refusal tells what the provider explains, and comes back as it was", () => {
  const details = { type: "refusal", category: "cyber", explanation: "Not this." };
  const body = { ...message([], "refusal"), stop_details: details };
  const parts = decode(body);
  expect(parts).toContainEqual(expect.objectContaining({ type: "refusal", text: "Not this." }));
  expect(dialect.encodeResponse(parts, context).value).toEqual(body);
  expect(decode(message([], "refusal")).some(({ type }) => type === "refusal")).toBe(true);
});

test("an unknown stop reason is an end with a warning that names it", () => {
  const { value, warnings } = dialect.decodeResponse(message([], "compaction"), "chat");
  expect(value.at(-1)).toMatchObject({ reason: "end", raw: "compaction" });
  expect(warnings).toEqual([expect.objectContaining({
    code: "unknown_finish_reason",
    detail: "compaction",
  })]);
});

test("a refusal of another family is text with the stop reason beside it", () => {
  const parts: Part[] = [
    { type: "refusal", choice: 0, text: "I cannot." },
    { ...finish, reason: "refusal" },
  ];
  expect(dialect.encodeResponse(parts, context).value).toMatchObject({
    content: [{ type: "text", text: "I cannot." }],
    stop_reason: "refusal",
  });
});

test("blocks that interleave are written one after the other", () => {
  const block = (index: number, id: string): StreamPart => ({
    type: "block-start",
    index,
    block: { type: "tool-call", choice: 0, id, name: "t", arguments: "" },
  });
  const grow = (index: number, text: string): StreamPart => ({ type: "block-delta", index, text });
  const events = encodeStream([
    { type: "start", id: "a", model: "m" },
    block(0, "x"),
    block(1, "y"),
    grow(1, '{"n":'),
    grow(0, '{"m":1'),
    grow(1, "2}"),
    grow(0, "}"),
    { type: "block-end", index: 1 },
    { type: "block-end", index: 0 },
    finish,
  ]);
  expect(events.map(({ type, index }) => `${type}${index ?? ""}`)).toEqual([
    "message_start",
    "content_block_start0",
    "content_block_delta0",
    "content_block_delta0",
    "content_block_stop0",
    "content_block_start1",
    "content_block_delta1",
    "content_block_delta1",
    "content_block_stop1",
    "message_delta",
    "message_stop",
  ]);
  expect(addUp(events)).toContainEqual(expect.objectContaining({ id: "x", arguments: '{"m":1}' }));
  expect(addUp(events)).toContainEqual(expect.objectContaining({ id: "y", arguments: '{"n":2}' }));
});

test("sources stand as citations inside the text before them, plain and streamed", () => {
  const text = { type: "text", choice: 0, text: "The sun shines" } as const;
  const source = {
    type: "source",
    choice: 0,
    url: "https://example.com",
    title: "Sun",
    start: 0,
    end: 14,
  } as const;
  const plain = dialect.encodeResponse([text, source, source, finish], context).value;
  const events = encodeStream([
    { type: "block-start", index: 0, block: { ...text, text: "" } },
    { type: "block-delta", index: 0, text: "The sun " },
    { type: "block-start", index: 1, block: source },
    { type: "block-end", index: 1 },
    { type: "block-delta", index: 0, text: "shines" },
    { type: "block-end", index: 0 },
    { type: "block-start", index: 2, block: source },
    { type: "block-end", index: 2 },
    finish,
  ]);
  expect(plain["content"]).toEqual([{
    type: "text",
    text: "The sun shines",
    citations: [1, 2].map(() => ({
      type: "web_search_result_location",
      url: "https://example.com",
      title: "Sun",
      cited_text: "",
      encrypted_index: "",
    })),
  }]);
  const said = (parts: readonly Part[]): Part[] => parts.filter((part) => "choice" in part);
  expect(said(addUp(events))).toEqual(said(decode(plain)));
});

test("another family's reasoning comes back to it and is taken out for all others", () => {
  const parts: Part[] = [
    { type: "reasoning", choice: 0, text: "Hm", signature: "sig" },
    { type: "reasoning", choice: 0, text: "", encrypted: "enc" },
    { type: "reasoning", choice: 0, text: "Aloud" },
    { type: "text", choice: 0, text: "Yes" },
    { type: "source", choice: 0, url: "https://example.com" },
    finish,
  ];
  const { content } = dialect.encodeResponse(parts, context).value;
  const body: JsonObject = {
    model: "m",
    messages: [
      { role: "user", content: "?" },
      { role: "assistant", content: content! },
      { role: "user", content: "!" },
    ],
  };
  const { value } = decodeRequest(body, "chat");
  expect(value.turns[1]!.parts.slice(0, 3)).toEqual([
    expect.objectContaining({ text: "Hm", signature: "sig", family: "elsewhere" }),
    expect.objectContaining({ text: "", encrypted: "enc", family: "elsewhere" }),
    expect.not.objectContaining({ family: expect.anything() }),
  ]);

  const cleaned = withoutMarks(body, "chat", "anthropic");
  expect(cleaned.warnings.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "reasoning_dropped /messages/1/content/0",
    "reasoning_dropped /messages/1/content/1",
    "reasoning_dropped /messages/1/content/2",
    "citation_dropped /messages/1/content/3/citations",
  ]);
  const messages = cleaned.value["messages"] as readonly JsonObject[];
  expect(messages[1]!["content"]).toEqual([{ type: "text", text: "Yes" }]);

  const own = withoutMarks(body, "chat", "elsewhere");
  const kept = own.value["messages"] as readonly JsonObject[];
  expect((kept[1]!["content"] as readonly JsonObject[]).slice(0, 2)).toEqual([
    { type: "thinking", thinking: "Hm", signature: "sig" },
    { type: "redacted_thinking", data: "enc" },
  ]);
});

test("reasoning streams as its plain form", () => {
  const events = encodeStream([
    {
      type: "block-start",
      index: 0,
      block: { type: "reasoning", choice: 0, text: "" },
    },
    { type: "block-delta", index: 0, text: "Hm" },
    { type: "block-delta", index: 0, signature: "sig" },
    { type: "block-end", index: 0 },
    { type: "block-start", index: 1, block: { type: "reasoning", choice: 0, text: "" } },
    { type: "block-delta", index: 1, encrypted: "enc" },
    { type: "block-end", index: 1 },
    finish,
  ]);
  const plain = dialect.encodeResponse([
    { type: "reasoning", choice: 0, text: "Hm", signature: "sig" },
    { type: "reasoning", choice: 0, text: "", encrypted: "enc" },
    finish,
  ], context).value;
  expect(addUp(events).filter(({ type }) => type === "reasoning"))
    .toEqual(decode(plain).filter(({ type }) => type === "reasoning"));
});

test("arguments that are no object are passed on as text with a warning", () => {
  const { value, warnings } = dialect.encodeResponse([
    { type: "tool-call", choice: 0, id: "x", name: "t", arguments: '{"a":' },
    finish,
  ], context);
  expect(value["content"]).toEqual([
    { type: "tool_use", id: "x", name: "t", input: { _raw: '{"a":' } },
  ]);
  expect(warnings.map(({ code }) => code)).toEqual(["tool_arguments_not_json"]);
});

test("a zero and a class that was not reported differ", () => {
  const usage = (more: JsonObject): JsonObject => ({ ...message([]), usage: more });
  const tokens = (body: JsonObject) => dialect.readAnswer(body, "chat").tokens;
  expect(tokens(usage({ input_tokens: 3, output_tokens: 0 }))).toMatchObject({
    inputUncached: 3,
    inputCacheRead: null,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: 0,
    reasoning: null,
  });
  expect(tokens(usage({
    input_tokens: 3,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 30,
    output_tokens: 10,
    output_tokens_details: { thinking_tokens: 4 },
  }))).toMatchObject({
    inputCacheRead: 0,
    inputCacheWrite5m: 30,
    inputCacheWrite1h: null,
    output: 6,
    reasoning: 4,
    completionTotal: 10,
  });
});

test("a stream told before its last event counts no output", () => {
  const tap = dialect.inbound!.tap({ keepUsage: true });
  const start = { type: "message_start", message: message([]) };
  tap.push(new TextEncoder().encode(`event: message_start\ndata: ${JSON.stringify(start)}\n\n`));
  expect(tap.facts().tokens).toMatchObject({ inputUncached: 1, output: null });
});

test("events and deltas nobody has heard of are told of, each kind once", () => {
  const decoder = dialect.streamDecoder();
  const text = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
  const hologram = { type: "content_block_delta", index: 0, delta: { type: "hologram_delta" } };
  const events = [
    { type: "message_start", message: message([]) },
    { type: "ping" },
    text,
    hologram,
    hologram,
    { type: "content_block_stop", index: 0 },
    { type: "scent" },
    { type: "message_delta", delta: { stop_reason: "end_turn" } },
    { type: "message_stop" },
  ];
  for (const event of events) decoder.push({ data: JSON.stringify(event) });
  expect(decoder.warnings?.map(({ code, detail }) => [code, detail])).toEqual([
    ["answer_part_dropped", "hologram_delta"],
    ["answer_part_dropped", "scent"],
  ]);
});

test("a delta of a block only this dialect knows grows the block", () => {
  const decoder = dialect.streamDecoder();
  const events = [
    { type: "message_start", message: message([]) },
    { type: "content_block_start", index: 0, content_block: { type: "compaction" } },
    {
      type: "content_block_delta",
      index: 0,
      delta: { type: "compaction_delta", content: "All in short" },
    },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" } },
    { type: "message_stop" },
  ];
  const parts = events.flatMap((event) => [...decoder.push({ data: JSON.stringify(event) })]);
  expect(assembleParts(parts).find((part) => part.type === "native")?.native.value)
    .toMatchObject({ type: "compaction", content: "All in short" });
  expect(decoder.warnings).toEqual([]);
});
