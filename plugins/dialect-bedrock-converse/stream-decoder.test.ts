import { expect, test } from "vitest";
import type { Frame, JsonObject } from "@vmx/core/contract";
import { assembleParts } from "@vmx/core/kit";
import { streamDecoder } from "./stream-decoder.ts";

const frame = (event: string, data: JsonObject): Frame => ({ event, data: JSON.stringify(data) });

function read(frames: readonly Frame[]) {
  const decoder = streamDecoder();
  return [...frames.flatMap((each) => [...decoder.push(each)]), ...decoder.end()];
}

test("blocks that come interleaved are put one behind the other", () => {
  const start = (at: number) =>
    frame("contentBlockStart", {
      contentBlockIndex: at,
      start: { toolUse: { toolUseId: `t${at}`, name: "weather" } },
    });
  const grow = (at: number, input: string) =>
    frame("contentBlockDelta", { contentBlockIndex: at, delta: { toolUse: { input } } });
  const parts = read([
    frame("messageStart", { role: "assistant" }),
    start(0),
    start(1),
    grow(1, '{"b":'),
    grow(0, '{"a":'),
    grow(1, "2}"),
    frame("contentBlockStop", { contentBlockIndex: 1 }),
    grow(0, "1}"),
    frame("contentBlockStop", { contentBlockIndex: 0 }),
    frame("messageStop", { stopReason: "tool_use" }),
    frame("metadata", { usage: { inputTokens: 0, outputTokens: 2, totalTokens: 2 } }),
  ]);
  const order = parts.map((part) => "index" in part ? `${part.type} ${part.index}` : part.type);
  expect(order).toEqual([
    "start",
    ...[0, 1].flatMap((at) => [
      `block-start ${at}`,
      `block-delta ${at}`,
      `block-delta ${at}`,
      `block-end ${at}`,
    ]),
    "usage",
    "finish",
  ]);
  expect(assembleParts(parts)).toMatchObject([
    {},
    { id: "t0", arguments: '{"a":1}' },
    { id: "t1", arguments: '{"b":2}' },
    { tokens: { inputUncached: 0, inputCacheRead: null, output: 2 } },
    { reason: "tool-use" },
  ]);
});

test("deltas go out as they come", () => {
  const decoder = streamDecoder();
  const text = (text: string) =>
    decoder.push(frame("contentBlockDelta", { contentBlockIndex: 0, delta: { text } }));
  decoder.push(frame("messageStart", { role: "assistant" }));
  expect(text("a").at(-1)).toEqual({ type: "block-delta", index: 0, text: "a" });
  expect(text("b")).toEqual([{ type: "block-delta", index: 0, text: "b" }]);
});

test("a stream without usage ends with its finish", () => {
  const parts = read([frame("messageStop", { stopReason: "end_turn" })]);
  expect(parts).toEqual([
    { type: "start" },
    { type: "finish", choice: 0, reason: "end", raw: "end_turn" },
  ]);
});

test.each([
  ["throttlingException", 429, "throttlingException"],
  ["modelStreamErrorException", 502, "modelStreamErrorException"],
  ["validationException", 400, "validationException"],
  ["serviceUnavailableException", 503, "serviceUnavailableException"],
  ["internalServerException", 500, "internalServerException"],
  ["modelTimeoutException", 408, "modelTimeoutException"],
  ["accessDeniedException", 502, "upstream_authentication_error"],
  ["someNewException", 502, "someNewException"],
])("%s inside a stream counts as status %d", (event, status, code) => {
  const decoder = streamDecoder();
  decoder.push(frame("messageStart", { role: "assistant" }));
  const [part] = decoder.push(frame(event, { message: "no", originalStatusCode: 424 }));
  expect(part).toMatchObject({ type: "error", status, code });
  expect(decoder.push(frame("messageStop", { stopReason: "end_turn" }))).toEqual([]);
  expect(decoder.end()).toEqual([]);
});

test("events nobody knows are passed over, and events that are not JSON are refused", () => {
  expect(
    read([
      frame("somethingNew", { a: 1 }),
      frame("messageStop", { stopReason: "end_turn" }),
    ]).at(-1)?.type,
  ).toBe("finish");
  for (const data of ["", "null", "[]", '{"a']) {
    expect(() => read([{ event: "messageStart", data }]))
      .toThrow(expect.objectContaining({ code: "upstream_invalid_response" }));
  }
});
