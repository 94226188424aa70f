import type { JsonObject } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { openaiResponses as dialect } from "./dialect.ts";

const tap = () => dialect.inbound!.tap({ keepUsage: true });
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function frame(type: string, members: JsonObject = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

const usage = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 50,
};

const created = frame("response.created", {
  response: { id: "resp_1", model: "small-1", status: "in_progress", output: [] },
});

function completed(text: string, status = "completed"): string {
  return frame(`response.${status}`, {
    response: {
      id: "resp_1",
      model: "small-1",
      status,
      incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
      output: [{ type: "message", content: [{ type: "output_text", text }] }],
      usage,
      metadata: {},
    },
  });
}

test("a final event too large to be held passes at once and still tells usage and finish", () => {
  // The text quotes a usage of its own, which must not be taken for the response's.
  const text = `{"usage":{"input_tokens":1}} ${"x".repeat(2 * 1024 * 1024)}`;
  for (const [status, finish] of [["completed", "end"], ["incomplete", "length"]] as const) {
    const stream = encode(created + completed(text, status));
    const reader = tap();
    const out: Uint8Array[] = [];
    let oversize = false;
    for (let at = 0; at < stream.length; at += 65_536) {
      const result = reader.push(stream.subarray(at, at + 65_536));
      oversize ||= result.oversize === true;
      out.push(result.forward);
      if (result.endMarker) out.push(result.endMarker);
    }
    const last = reader.end();
    out.push(last.forward, last.endMarker ?? new Uint8Array());
    expect(Buffer.concat(out).equals(Buffer.from(stream))).toBe(true);
    expect(oversize).toBe(true);
    expect(reader.facts()).toMatchObject({
      complete: true,
      finish,
      id: "resp_1",
      tokens: { promptTotal: 30, completionTotal: 20, reasoning: 4, inputCacheRead: 0 },
    });
  }
});

test("an announced message or reasoning is no content yet, a server's tool call is", () => {
  const added = (item: JsonObject): string =>
    frame("response.output_item.added", { output_index: 0, item });
  const reader = tap();
  expect(reader.push(encode(created)).content).toBe(false);
  expect(reader.push(encode(created)).started).toBe(true);
  expect(reader.push(encode(added({ type: "message", content: [] }))).content).toBe(false);
  expect(reader.push(encode(added({ type: "reasoning", summary: [] }))).content).toBe(false);
  expect(reader.push(encode(added({ type: "web_search_call" }))).content).toBe(true);
});

test.each(["event", "no event line"])("every delta is content (%s)", (form) => {
  for (
    const type of [
      "response.output_text.delta",
      "response.refusal.delta",
      "response.function_call_arguments.delta",
      "response.custom_tool_call_input.delta",
      "response.reasoning_summary_text.delta",
      "response.reasoning_text.delta",
    ]
  ) {
    const whole = frame(type, { delta: "ab" });
    const text = form === "event" ? whole : whole.slice(whole.indexOf("data:"));
    const reader = tap();
    expect(reader.push(encode(text)).content, type).toBe(true);
    expect(reader.facts().estimatedOutputTokens).toBe(1);
  }
});

test("a failed response is an error, in either of its events, and never complete", () => {
  const failed = {
    response: { status: "failed", error: { code: "rate_limit_exceeded", message: "Slow down" } },
  };
  for (
    const text of [
      frame("response.failed", failed),
      frame("error", { code: "rate_limit_exceeded", message: "Slow down", param: null }),
      frame("error", { error: { code: "rate_limit_exceeded", message: "Slow down" } }),
    ]
  ) {
    const reader = tap();
    const { error, forward } = reader.push(encode(created + text));
    expect(error).toMatchObject({ message: "Slow down", code: "rate_limit_exceeded", status: 429 });
    expect(Buffer.from(forward).toString()).toBe(created + text);
    expect(reader.facts().complete).toBe(false);
  }
});

test("the last event and all behind it are held for what must go before them", () => {
  const reader = tap();
  const end = completed("Hi");
  const first = reader.push(
    encode(created + frame("response.output_text.delta", { delta: "Hi" }) + end),
  );
  expect(Buffer.from(first.forward).toString()).not.toContain("response.completed");
  expect(reader.push(encode("data: [DONE]\n\n")).forward.length).toBe(0);
  expect(Buffer.from(reader.end().endMarker!).toString()).toBe(`${end}data: [DONE]\n\n`);
  expect(reader.facts()).toMatchObject({ complete: true, sequence: 3 });
});

test("keep-alives and metrics are comments no reader takes for an event", () => {
  const { keepAlive, metricsFrame } = dialect.inbound!;
  expect(keepAlive).toBe(": keep-alive\n\n");
  const context = {
    operation: "chat",
    requestId: "r",
    stream: true,
    now: 0,
    model: "m",
    includeUsage: true,
  } as const;
  const line = metricsFrame({ note: "a\nb" }, context);
  expect(line).toBe(': vmx {"note":"a\\nb"}\n\n');
});

test("an error frame carries the number that comes next, and the error in both its forms", () => {
  const error = {
    status: 502,
    kind: "internal",
    code: "upstream_unreachable",
    message: "Gone",
    requestId: "r",
  } as const;
  const text = dialect.inbound!.errorFrame(error, 7);
  expect(text.startsWith("event: error\ndata: ")).toBe(true);
  expect(JSON.parse(text.slice(text.indexOf("data:") + 5))).toEqual({
    type: "error",
    code: "upstream_unreachable",
    message: "Gone",
    param: null,
    sequence_number: 7,
    error: { type: "api_error", code: "upstream_unreachable", message: "Gone", param: null },
  });
});
