import { expect, test } from "vitest";
import type { JsonObject, OutgoingError } from "@vmx/core/contract";
import { decodeRequest } from "./decode-request.ts";
import { decodeError } from "./errors.ts";
import { inbound } from "./inbound.ts";

const body: JsonObject = {
  model: "m",
  max_tokens: 100,
  stream: true,
  system: [{ type: "text", text: "One" }, { type: "text", text: "Two" }],
  tools: [{ name: "t", input_schema: { type: "object" } }],
  messages: [
    { role: "user", content: "Hello" },
    {
      role: "assistant",
      content: [{ type: "tool_use", id: "toolu_1", name: "t", input: { a: 1 } }],
    },
    {
      role: "user",
      content: [
        {
          type: "tool_result",
          tool_use_id: "toolu_1",
          content: [
            { type: "text", text: "result" },
            { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
          ],
        },
        { type: "text", text: "And now?" },
      ],
    },
    { role: "system", content: "Three" },
  ],
};

test("rules see the conversation, with results as messages of their own", () => {
  const facts = inbound.inspect(body, "chat");
  expect(facts.messages).toEqual([
    { role: "user", content: "Hello" },
    { role: "assistant", content: "" },
    { role: "tool", content: "result" },
    { role: "user", content: "And now?" },
  ]);
  expect(facts.system).toBe("One\n\nTwo\n\nThree");
  expect([facts.stream, facts.toolsCount, facts.hasImages, facts.hasFiles, facts.maxOutputTokens])
    .toEqual([true, 1, true, false, 100]);
});

test("input is estimated by its parts", () => {
  const text = (content: JsonObject[string]): number =>
    inbound.inspect({ model: "m", messages: [{ role: "user", content }] }, "chat").inputTokens;
  const fixed = 3 + 4;
  expect(text("12345678")).toBe(fixed + 2);
  expect(text([{ type: "image", source: { type: "url", url: "u" } }])).toBe(fixed + 1000);
  const data = Buffer.alloc(3999).toString("base64");
  const pdf = { type: "base64", media_type: "application/pdf", data };
  expect(text([{ type: "document", source: pdf }])).toBe(fixed + 100);
  expect(text([{ type: "document", source: { type: "file", file_id: "f" } }])).toBe(fixed + 1500);
});

test("members at fault are named", () => {
  const refused = (more: JsonObject): string | undefined => {
    try {
      inbound.validate({ ...body, ...more }, "chat");
      return undefined;
    } catch (error) {
      return (error as { param?: string }).param;
    }
  };
  expect(refused({})).toBeUndefined();
  expect(refused({ model: "" })).toBe("model");
  expect(refused({ stream: "yes" })).toBe("stream");
  expect(refused({ messages: [] })).toBe("messages");
  expect(refused({ messages: [7] })).toBe("messages[0]");
  expect(refused({ messages: [{ role: "tool", content: "" }] })).toBe("messages[0].role");
  expect(refused({ messages: [{ role: "user" }] })).toBe("messages[0].content");
});

const error: OutgoingError = {
  status: 503,
  kind: "overloaded",
  code: "shutting_down",
  message: "The gateway is shutting down",
  requestId: "req-1",
};

test("errors have the dialect's form, and types of other dialects do not reach it", () => {
  expect(inbound.encodeError(error)).toEqual({
    type: "error",
    error: {
      type: "overloaded_error",
      code: "shutting_down",
      message: "The gateway is shutting down",
    },
    request_id: "req-1",
  });
  const typeOf = (more: Partial<OutgoingError>): unknown =>
    (inbound.encodeError({ ...error, ...more })["error"] as JsonObject)["type"];
  expect(typeOf({ kind: "too-large" })).toBe("request_too_large");
  expect(typeOf({ type: "billing_error" })).toBe("billing_error");
  expect(typeOf({ type: "server_error" })).toBe("overloaded_error");
  expect(inbound.errorFrame(error)).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
});

test("errors are read with the code the service details", () => {
  const own = {
    type: "error",
    error: { type: "overloaded_error", message: "Overloaded", details: { error_code: "busy" } },
  };
  expect(decodeError(529, JSON.stringify(own))).toEqual({
    message: "Overloaded",
    type: "overloaded_error",
    code: "busy",
    status: 529,
    recognised: true,
  });
  const foreign = decodeError(400, JSON.stringify({ message: "No such model" }));
  expect(foreign).toEqual({ message: "No such model", recognised: false });
});

test("silence is broken by a ping, and metrics travel in a comment", () => {
  expect(inbound.keepAlive).toBe('event: ping\ndata: {"type": "ping"}\n\n');
  const context = {
    operation: "chat",
    requestId: "r",
    stream: true,
    now: 0,
    model: "m",
    includeUsage: true,
  } as const;
  expect(inbound.metricsFrame({ a: 1 }, context)).toBe(': vmx {"a":1}\n\n');
});

test("a summary of reasoning is asked for only where the caller wants to see it", () => {
  const summaryOf = (thinking: JsonObject) =>
    decodeRequest({ ...body, thinking }, "chat").value.reasoning?.summary;
  expect(summaryOf({ type: "enabled", budget_tokens: 2048, display: "summarized" })).toBe("auto");
  expect(summaryOf({ type: "enabled", budget_tokens: 2048 })).toBeUndefined();
  expect(summaryOf({ type: "adaptive", display: "omitted" })).toBeUndefined();
});
