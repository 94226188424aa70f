import type { AnswerContext, Block, Frame, JsonObject, Part, StreamPart } from "@vmx/core/contract";
import { bare } from "@vmx/core/conformance";
import { assembleParts, writeFrame } from "@vmx/core/kit";
import fc from "fast-check";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { openaiResponses as dialect } from "./dialect.ts";

const context: AnswerContext = {
  operation: "chat",
  requestId: "0199a1b2-c3d4",
  stream: true,
  now: 1_700_000_000,
  model: "claude",
  includeUsage: true,
  family: "other",
};

const finish: StreamPart = { type: "finish", choice: 0, reason: "tool-use" };
const usage: StreamPart = {
  type: "usage",
  tokens: {
    inputUncached: 20,
    inputCacheRead: 0,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output: 7,
    reasoning: 3,
    audioInput: null,
    audioOutput: null,
  },
};

function encode(parts: readonly StreamPart[]): Frame[] {
  const encoder = dialect.streamEncoder(context);
  return [...parts.flatMap((part) => [...encoder.push(part)]), ...encoder.end()];
}

function eventsOf(frames: readonly Frame[]): JsonObject[] {
  return frames.map(({ event, data }) => {
    const value = JSON.parse(data) as JsonObject;
    expect(value["type"]).toBe(event);
    return value;
  });
}

const name = fc.constantFrom("weather", "search", "files_read");
const words = fc.string({ unit: "grapheme", maxLength: 12 });
const pieces = fc.array(words, { maxLength: 4 });
const anyBlock = fc.oneof(
  fc.constant<Block>({ type: "text", choice: 0, text: "" }),
  fc.constant<Block>({ type: "reasoning", choice: 0, text: "" }),
  fc.constant<Block>({ type: "refusal", choice: 0, text: "" }),
  fc.record({ name, id: fc.uuid() }).map((call): Block => ({
    type: "tool-call",
    choice: 0,
    arguments: "",
    ...call,
  })),
  fc.record({ title: words, citedText: words }).map((source): Block => ({
    type: "source",
    choice: 0,
    url: "https://example.org/",
    start: 1,
    end: 2,
    ...source,
  })),
  fc.constant<Block>({
    type: "native",
    choice: 0,
    kind: "server_block",
    native: { dialect: "other", value: {} },
  }),
  fc.constant<Block>({
    type: "file",
    choice: 0,
    source: { kind: "base64", mediaType: "image/png", data: "iVBORw0K" },
  }),
);

/** Streams as other dialects give them: blocks overlap, and some are never closed. */
const anyStream = fc.record({
  blocks: fc.array(fc.record({ block: anyBlock, pieces }), { maxLength: 6 }),
  order: fc.infiniteStream(fc.nat({ max: 5 })),
  reason: fc.constantFrom("end", "length", "tool-use", "content-filter", "refusal"),
  signed: fc.boolean(),
}).map(({ blocks, order, reason, signed }): StreamPart[] => {
  const parts: StreamPart[] = [{ type: "start", id: "msg_abc", model: "claude-9" }];
  const waiting = blocks.filter(({ block }, at) =>
    // Citations follow a text.
    block.type !== "source" || blocks.slice(0, at).some((before) => before.block.type === "text")
  ).map(({ block, pieces }, index) => {
    const grows = block.type !== "source" && block.type !== "native" && block.type !== "file";
    const deltas = (grows ? pieces : []).map((text): StreamPart => ({
      type: "block-delta",
      index,
      text,
    }));
    const signature: StreamPart[] = signed && block.type === "reasoning"
      ? [{ type: "block-delta", index, signature: "c2lnbmVk" }]
      : [];
    const opened: StreamPart = { type: "block-start", index, block };
    const closed: StreamPart = { type: "block-end", index };
    return {
      alone: block.type === "reasoning" || block.type === "source",
      queue: [opened, ...deltas, ...signature, closed],
    };
  });
  // Two blocks at a time run in parallel, but no model answers while it still reasons, and citations come whole.
  for (let left = waiting; left.length > 0; left = left.filter(({ queue }) => queue.length > 0)) {
    const running = left.slice(0, left.slice(0, 2).some(({ alone }) => alone) ? 1 : 2);
    parts.push(running[order.next().value! % running.length]!.queue.shift()!);
  }
  return [...parts, usage, { type: "finish", choice: 0, reason } as StreamPart];
});

test("the last event repeats the plain answer, whatever the blocks and however they overlap", () => {
  fc.assert(fc.property(anyStream, (parts) => {
    const events = eventsOf(encode(parts));
    const plain = dialect.encodeResponse(assembleParts(parts), context).value;
    expect(events.at(-1)!["response"]).toEqual(JSON.parse(JSON.stringify(plain)));
  }));
});

test("a stream that is read again gives the Parts of its plain answer", () => {
  fc.assert(fc.property(anyStream, (parts) => {
    const decoder = dialect.streamDecoder();
    const read = encode(parts).flatMap((frame) => [...decoder.push(frame)]);
    const plain = dialect.encodeResponse(assembleParts(parts), context).value;
    const again = dialect.decodeResponse(JSON.parse(JSON.stringify(plain)), "chat").value;
    expect(byChoice(assembleParts([...read, ...decoder.end()]))).toEqual(byChoice(again));
  }));
});

/** Citations may be told after a part that follows their text; their place among the blocks is free. */
function byChoice(parts: readonly Part[]): unknown {
  const all = bare(parts);
  const sources = all.filter((part) => part.type === "source").map((part) => JSON.stringify(part));
  return [all.filter((part) => part.type !== "source"), sources.sort()];
}

test("events are numbered, and items and parts open before they grow and close before the end", () => {
  fc.assert(fc.property(anyStream, (parts) => {
    const events = eventsOf(encode(parts));
    expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, at) => at));
    expect(events.slice(0, 2).map((event) => event["type"])).toEqual([
      "response.created",
      "response.in_progress",
    ]);
    const open = new Map<unknown, unknown>();
    const texts = new Map<string, string>();
    for (const event of events.slice(2, -1)) {
      const type = String(event["type"]);
      const index = event["output_index"];
      const item = event["item"] as JsonObject | undefined;
      if (type === "response.output_item.added") {
        expect(index).toBe(open.size);
        open.set(index, item!["id"]);
        continue;
      }
      // A citation can come after its text's item was closed.
      if (type === annotationAdded && open.get(index) === "closed") continue;
      expect(open.get(index)).toBe(item ? item["id"] : event["item_id"]);
      const key = JSON.stringify([index, event["content_index"], event["summary_index"]]);
      if (type.endsWith(".delta")) texts.set(key, (texts.get(key) ?? "") + event["delta"]);
      const whole = event["text"] ?? event["refusal"] ?? event["arguments"];
      if (type.endsWith(".done") && typeof whole === "string") {
        expect(whole).toBe(texts.get(key) ?? "");
      }
      if (type === "response.output_item.done") open.set(index, "closed");
    }
    expect([...open.values()].every((state) => state === "closed")).toBe(true);
    const { output } = events.at(-1)!["response"] as { output: readonly JsonObject[] };
    const done = events.filter((event) => event["type"] === "response.output_item.done");
    const items = done.toSorted((a, b) => Number(a["output_index"]) - Number(b["output_index"]));
    expect(withoutCitations(output)).toEqual(withoutCitations(items.map(({ item }) => item!)));
    const cited = events.filter((event) => event["type"] === annotationAdded).length;
    expect(cited).toBe(parts.filter((part) => isSource(part)).length);
  }));
});

const annotationAdded = "response.output_text.annotation.added";

function isSource(part: StreamPart): boolean {
  return part.type === "block-start" && part.block.type === "source";
}

/** A citation that is told after its item was closed stands in the response only. */
function withoutCitations(items: readonly unknown[]): unknown {
  return JSON.parse(JSON.stringify(items, (key, value) => key === "annotations" ? [] : value));
}

const conversation: readonly StreamPart[] = [
  { type: "start", id: "msg_abc", model: "claude-9" },
  { type: "block-start", index: 0, block: { type: "reasoning", choice: 0, text: "" } },
  { type: "block-delta", index: 0, text: "Hm" },
  { type: "block-delta", index: 0, text: "…" },
  { type: "block-delta", index: 0, signature: "c2lnbmVk" },
  { type: "block-end", index: 0 },
  { type: "block-start", index: 1, block: { type: "text", choice: 0, text: "" } },
  { type: "block-delta", index: 1, text: "Let me " },
  { type: "block-delta", index: 1, text: "see." },
  { type: "block-end", index: 1 },
  {
    type: "block-start",
    index: 2,
    block: { type: "source", choice: 0, url: "https://example.org/", title: "E", start: 0, end: 3 },
  },
  { type: "block-end", index: 2 },
  {
    type: "block-start",
    index: 3,
    block: { type: "tool-call", choice: 0, id: "toolu_1", name: "weather", arguments: "" },
  },
  { type: "block-delta", index: 3, text: '{"city":' },
  { type: "block-delta", index: 3, text: '"Köln"}' },
  { type: "block-end", index: 3 },
  usage,
  finish,
];

test("the unmodified SDK reads a translated stream and a translated plain answer alike", async () => {
  const body = encode(conversation).map(writeFrame).join("");
  const plain = dialect.encodeResponse(assembleParts(conversation), context).value;
  const client = new OpenAI({
    apiKey: "none",
    baseURL: "http://localhost/v1",
    fetch: (_url, init) => {
      const { stream } = JSON.parse(String(init?.body)) as { stream?: boolean };
      return Promise.resolve(
        stream
          ? new Response(body, { headers: { "content-type": "text/event-stream" } })
          : Response.json(plain),
      );
    },
  });
  const streamed = client.responses.stream({ model: "m", input: "Weather?" });
  let said = "";
  streamed.on("response.output_text.delta", ({ delta }) => said += delta);
  const final = await streamed.finalResponse();
  const whole = await client.responses.create({ model: "m", input: "Weather?" });
  expect(said).toBe("Let me see.");
  expect(final.output_text).toBe(said);
  expect(whole.output_text).toBe(said);
  expect(whole.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"]);
  expect(final.output.map(({ id }) => id)).toEqual(whole.output.map(({ id }) => id));
  expect(final.usage).toEqual(whole.usage);
  expect(whole.usage?.output_tokens_details).toEqual({ reasoning_tokens: 3 });
  expect(whole.id).toBe("resp_0199a1b2c3d4");
});

test("what another family signed is packed, and unpacked when the caller gives it back", () => {
  const plain = dialect.encodeResponse(assembleParts(conversation), context).value;
  const input = [
    { role: "user", content: "Weather?" },
    ...plain["output"] as readonly JsonObject[],
    { type: "function_call_output", call_id: "toolu_1", output: "rain" },
  ];
  const body: JsonObject = { model: "m", input };
  const { value: call } = dialect.decodeRequest(body, "chat");
  expect(call.turns[1]?.parts[0]).toEqual({
    type: "reasoning",
    path: "/input/1",
    text: "Hm…",
    family: "other",
    signature: "c2lnbmVk",
  });
  const cleaned = dialect.inbound!.withoutMarks!(body, "chat");
  expect(cleaned.warnings).toMatchObject([{ code: "reasoning_dropped", path: "/input/1" }]);
  expect((cleaned.value["input"] as JsonObject[]).map(({ type }) => type)).toEqual([
    undefined,
    "message",
    "function_call",
    "function_call_output",
  ]);
});

test("an error after the beginning ends the stream without an end marker", () => {
  const encoder = dialect.streamEncoder(context);
  const frames = [
    ...encoder.push({ type: "start", id: "x" }),
    ...encoder.push({ type: "error", code: "overloaded", message: "Too much" }),
    ...encoder.end(),
  ];
  expect(eventsOf(frames).map((event) => event["type"])).toEqual([
    "response.created",
    "response.in_progress",
    "error",
  ]);
  expect(encoder.sequence!()).toBe(3);
});

test("an answer cut short ends with response.incomplete and an incomplete last item", () => {
  const cut = [...conversation.slice(0, 8), { type: "finish", choice: 0, reason: "length" }];
  const last = eventsOf(encode(cut as StreamPart[])).at(-1)!;
  expect(last["type"]).toBe("response.incomplete");
  const response = last["response"] as JsonObject;
  expect(response["incomplete_details"]).toEqual({ reason: "max_output_tokens" });
  expect(response["output"]).toMatchObject([{ type: "reasoning" }, { status: "incomplete" }]);
});

test("an answer that ended with a refusal says so in a part of its own", () => {
  const parts: StreamPart[] = [
    ...conversation.slice(5, 10),
    { type: "finish", choice: 0, reason: "refusal" },
  ];
  const { value, warnings } = dialect.encodeResponse(assembleParts(parts), context);
  expect(value["output"]).toMatchObject([{
    content: [{ text: "Let me see." }, { type: "refusal" }],
  }]);
  expect(warnings).toMatchObject([{ code: "refusal_synthesized", action: "synthesized" }]);
  const decoded = dialect.decodeResponse(JSON.parse(JSON.stringify(value)), "chat").value;
  expect(decoded.at(-1)).toMatchObject({ type: "finish", reason: "refusal" });
});
