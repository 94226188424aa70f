import { expect, test } from "vitest";
import type { ErrorAnswer, JsonObject } from "@vmx/core/contract";
import { adaptBody } from "./adapt.ts";
import { classifyError } from "./classify.ts";
import { createOpenAIProvider } from "./provider.ts";

function adapt(model: string, body: JsonObject, dialect = "openai-chat") {
  return adaptBody({ operation: "chat", dialect, model, body });
}

const droppedBy = (model: string, body: JsonObject, dialect?: string) =>
  adapt(model, body, dialect)?.warnings?.map((warning) => warning.path) ?? [];

test.each(["o1", "o1-mini", "o3-2025-04-16", "o4-mini", "gpt-5", "gpt-5-chat-latest", "gpt-5.4"])(
  "%s is given max_completion_tokens in place of max_tokens, without a warning",
  (model) => {
    const adaptation = adapt(model, { max_tokens: 10 });
    expect(adaptation).toEqual({ remove: ["max_tokens"], set: { max_completion_tokens: 10 } });
  },
);

test.each([
  "gpt-4.1",
  "gpt-4o",
  "gpt-4o-mini",
  "gpt-3.5-turbo",
  "chatgpt-4o-latest",
  "ft:gpt-4o:x",
])(
  "%s takes every parameter as it is",
  (model) => {
    const body = { max_tokens: 10, temperature: 0, stop: ["x"], logit_bias: { 1: 1 } };
    expect(adapt(model, body)).toBeUndefined();
  },
);

test("a max_completion_tokens the caller gave wins over max_tokens", () => {
  expect(adapt("o3", { max_tokens: 10, max_completion_tokens: 20 })).toEqual({
    remove: ["max_tokens"],
  });
});

test("a reasoning model loses what it refuses, each with a warning", () => {
  const body = {
    temperature: 0.2,
    top_p: 0.9,
    presence_penalty: 1,
    frequency_penalty: 1,
    logprobs: true,
    top_logprobs: 3,
    logit_bias: { 50256: -100 },
    stop: ["x"],
  };
  const adaptation = adapt("o4-mini", body);
  expect([...adaptation?.remove ?? []].sort()).toEqual(Object.keys(body).sort());
  expect(adaptation?.warnings).toHaveLength(8);
  expect(adaptation?.warnings?.[0]).toEqual({
    code: "parameter_dropped",
    path: "/temperature",
    action: "dropped",
    detail: "o4-mini does not take temperature",
  });
});

test("a parameter at its default goes without a warning", () => {
  const adaptation = adapt("gpt-5-nano", { temperature: 1, top_p: 1, presence_penalty: 0 });
  // The default temperature is one the service takes.
  expect(adaptation?.remove).toEqual(["top_p", "presence_penalty"]);
  expect(adaptation?.warnings).toBeUndefined();
});

test("o1-mini refuses stop as recorded, o1 and o3-mini take it", () => {
  expect(droppedBy("o1-mini", { stop: ["stop"] })).toEqual(["/stop"]);
  expect(droppedBy("o1", { stop: ["stop"] })).toEqual([]);
  expect(droppedBy("o3-mini", { stop: ["stop"] })).toEqual([]);
});

test("gpt-5.1 and later keep sampling while they do not reason", () => {
  expect(droppedBy("gpt-5.1", { temperature: 0.2 })).toEqual([]);
  expect(droppedBy("gpt-5.2", { temperature: 0.2, reasoning_effort: "none" })).toEqual([]);
  expect(droppedBy("gpt-5.2", { temperature: 0.2, reasoning_effort: "low" })).toEqual([
    "/temperature",
  ]);
  expect(droppedBy("gpt-5", { temperature: 0.2 })).toEqual(["/temperature"]);
  expect(droppedBy("gpt-5.2-pro", { temperature: 0.2 })).toEqual(["/temperature"]);
});

test("on Responses only sampling is dropped, and effort is read where Responses has it", () => {
  const body = { temperature: 0.2, max_tokens: 5, reasoning: { effort: "none" } };
  expect(adapt("gpt-5.2", body, "openai-responses")).toBeUndefined();
  expect(droppedBy("o3", { temperature: 0.2 }, "openai-responses")).toEqual(["/temperature"]);
});

test("embeddings are left alone", () => {
  const request = { operation: "embeddings", dialect: "openai-chat", model: "o3" } as const;
  expect(adaptBody({ ...request, body: { max_tokens: 1 } })).toBeUndefined();
});

test("Messages callers are served through Responses, others in their own dialect", () => {
  const provider = createOpenAIProvider({} as never);
  const dialects = (callerDialect: string, operation: "chat" | "embeddings" = "chat") =>
    provider.dialects({ model: "gpt-4.1", operation, callerDialect }, {} as never);
  expect(dialects("anthropic-messages")).toEqual(["openai-responses", "openai-chat"]);
  expect(dialects("openai-chat")[0]).toBe("openai-chat");
  expect(dialects("openai-responses")).toContain("openai-responses");
  expect(dialects("openai-chat", "embeddings")).toEqual(["openai-chat"]);
});

function classify(answer: Partial<ErrorAnswer>) {
  return classifyError({ status: 429, headers: {}, message: "", ...answer }, 0);
}

test("a used-up quota is not worth waiting for", () => {
  expect(classify({ code: "insufficient_quota" })).toEqual({
    reason: "Rate limit exceeded",
    retryable: false,
  });
});

test("the wait is the longest that applies to the exhausted axis", () => {
  const headers = {
    "retry-after": "2",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "20s",
    "x-ratelimit-remaining-tokens": "5",
    "x-ratelimit-reset-tokens": "1m0s",
  };
  expect(classify({ headers })).toEqual({ retryAfterMs: 20_000 });
  expect(classify({ headers, type: "tokens" })).toEqual({ retryAfterMs: 60_000 });
  expect(classify({ message: "Rate limit reached. Please try again in 6.386s. Visit" })).toEqual({
    retryAfterMs: 6386,
  });
  expect(classify({ message: "Please try again in 1m30s." })).toEqual({ retryAfterMs: 90_000 });
  expect(classify({ message: "slow down" })).toBeUndefined();
  expect(classify({ status: 500 })).toBeUndefined();
});
