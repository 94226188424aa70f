import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorAnswer, JsonObject } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { adaptBody } from "./adapt.ts";
import { classifyError } from "./classify.ts";
import { effortFor, efforts } from "./model-traits.ts";
import { profileOf } from "./profile.ts";
import { createGroqProvider } from "./provider.ts";
import { readLimits } from "./rate-limits.ts";

const gptOss = "openai/gpt-oss-20b";

function adapt(body: JsonObject, dialect = "openai-chat", model = gptOss) {
  return adaptBody({ operation: "chat", dialect, model, body });
}

const paths = (body: JsonObject, dialect?: string, model?: string) =>
  adapt(body, dialect, model)?.warnings?.map(({ path }) => path) ?? [];

test("a body the service takes is left alone", () => {
  expect(
    adapt({
      messages: [{ role: "user", content: "hi" }],
      n: 1,
      service_tier: "flex",
      reasoning_effort: "low",
      reasoning_format: "parsed",
      stream_options: { include_usage: true },
    }),
  ).toBeUndefined();
  expect(adapt({ input: "hi", store: false, truncation: "auto" }, "openai-responses"))
    .toBeUndefined();
});

test("members the service refuses go with a warning each, without one where nothing is lost", () => {
  const body = { logit_bias: { 5: 1 }, logprobs: true, top_logprobs: 2 };
  const adaptation = adapt(body);
  expect(adaptation?.remove).toEqual(["logit_bias", "logprobs", "top_logprobs"]);
  expect(adaptation?.warnings?.[0]).toEqual({
    code: "parameter_dropped",
    path: "/logit_bias",
    action: "dropped",
    detail: "the service does not take logit_bias",
  });
  expect(adaptation?.warnings).toHaveLength(3);
  const neutral = { logit_bias: null, logprobs: false, top_logprobs: 0, prompt_cache_key: "k" };
  expect(adapt(neutral)).toEqual({
    remove: ["logit_bias", "logprobs", "top_logprobs", "prompt_cache_key"],
  });
});

test("names of messages go with a warning each, those of legacy function results stay", () => {
  const messages = [
    { role: "user", name: "ann", content: "hi" },
    { role: "assistant", content: "ho" },
    { role: "function", name: "f", content: "1" },
    { role: "tool", tool_call_id: "c", name: "g", content: "2" },
  ];
  const adaptation = adapt({ messages });
  expect(adaptation?.set).toEqual({
    messages: [
      { role: "user", content: "hi" },
      messages[1],
      messages[2],
      { role: "tool", tool_call_id: "c", content: "2" },
    ],
  });
  expect(adaptation?.warnings?.map(({ path }) => path)).toEqual([
    "/messages/0/name",
    "/messages/3/name",
  ]);
  expect(messages[0]).toHaveProperty("name");
});

test("more than one answer fails the leg", () => {
  expect(() => adapt({ n: 2 })).toThrow(
    expect.objectContaining({ code: "unsupported_content", param: "n", fallsBack: true }),
  );
});

test("what other services' callers send becomes what this one knows", () => {
  expect(adapt({ safety_identifier: "u1" })).toEqual({
    remove: ["safety_identifier"],
    set: { user: "u1" },
  });
  expect(adapt({ safety_identifier: "u1", user: "u2" })).toEqual({
    remove: ["safety_identifier"],
  });
  expect(paths({ service_tier: "priority" })).toEqual(["/service_tier"]);
  expect(adapt({ service_tier: "default" })).toEqual({ remove: ["service_tier"] });
  expect(adapt({ service_tier: "default" }, "openai-responses")).toBeUndefined();
  expect(paths({ store: true, include: ["reasoning.encrypted_content"] }, "openai-responses"))
    .toEqual(["/include", "/store"]);
  expect(adapt({ include: [] }, "openai-responses")).toEqual({ remove: ["include"] });
});

test("an effort becomes the model's nearest word", () => {
  const words = (model: string) => efforts.map((effort) => effortFor(model, effort));
  expect(words(gptOss)).toEqual(["low", "low", "low", "medium", "high", "high"]);
  expect(words("qwen/qwen3-32b")).toEqual(["none", ...Array(5).fill("default")]);
  expect(words("qwen/qwen3.8-27b")).toEqual(["none", "low", "low", "medium", "high", "high"]);
  expect(words("llama-3.3-70b-versatile")).toEqual(Array(6).fill(null));
  expect(words("some-new-model")).toEqual(Array(6).fill(undefined));
  expect(effortFor(gptOss, "default")).toBeNull();
  expect(effortFor("qwen/qwen3-32b", "default")).toBe("default");
});

test("an effort in a passed-through body is put into the model's word with a warning", () => {
  expect(adapt({ reasoning_effort: "minimal" })).toEqual({
    set: { reasoning_effort: "low" },
    warnings: [{
      code: "reasoning_effort_approximated",
      path: "/reasoning_effort",
      action: "approximated",
      detail: "minimal is passed on as low",
    }],
  });
  expect(adapt({ reasoning: { effort: "xhigh", summary: "auto" } }, "openai-responses")?.set)
    .toEqual({ reasoning: { effort: "high", summary: "auto" } });
  const llama = "llama-3.3-70b-versatile";
  expect(paths({ reasoning_effort: "high" }, "openai-chat", llama)).toEqual(["/reasoning_effort"]);
  expect(adapt({ reasoning_effort: "none" }, "openai-chat", llama)).toEqual({
    remove: ["reasoning_effort"],
  });
  expect(adapt({ reasoning: { effort: "low" } }, "openai-responses", llama)?.remove).toEqual([
    "reasoning",
  ]);
  expect(adapt({ reasoning_effort: "high" }, "openai-chat", "some-new-model")).toBeUndefined();
});

test("the profile says the same of translated bodies, and asks for reasoning apart from the text", () => {
  expect(profileOf("qwen/qwen3-32b", "openai-chat")).toMatchObject({
    singleAnswer: true,
    stripMessage: ["name"],
    strip: expect.arrayContaining(["logit_bias", "logprobs", "top_logprobs"]),
    efforts: { none: "none", high: "default" },
    members: { reasoning_format: "parsed" },
  });
  expect(profileOf(gptOss, "openai-chat")["members"]).toBeUndefined();
  expect(profileOf(gptOss, "openai-responses")).toMatchObject({ encryptedReasoning: false });
});

test("requests are limited by the day, tokens by the minute", () => {
  const headers = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-remaining-requests": "14399",
    "x-ratelimit-reset-requests": "6s",
    "x-ratelimit-limit-tokens": "6000",
    "x-ratelimit-remaining-tokens": "5987",
    "x-ratelimit-reset-tokens": "130ms",
  };
  expect(readLimits(headers)).toEqual({
    requests: { limit: 14_400, remaining: 14_399, resetAfterMs: 6_000, windowMs: 86_400_000 },
    tokens: { limit: 6_000, remaining: 5_987, resetAfterMs: 130 },
  });
  expect(readLimits({})).toBeUndefined();
});

function classify(answer: Partial<ErrorAnswer>) {
  return classifyError({ status: 429, headers: {}, message: "", ...answer }, 0);
}

test("a recorded 429 waits until its exhausted axis resets", (context) => {
  const root = process.env["VMX_FIXTURES"] ??
    fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));
  const folder = join(root, "wire", "groq", "error-429-rate-limit-requests-per-day-46a775");
  if (!existsSync(folder)) context.skip(`no recording at ${folder}; set VMX_FIXTURES`);
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const { headers } = read("headers.json");
  const { error } = read("response.json");
  expect(classify({ headers, ...error })).toEqual({ retryAfterMs: 179_560 });
  // The message's own hint alone.
  expect(classify({ message: error.message })).toEqual({ retryAfterMs: 86_400 });
});

test("a reached spend limit is not retried, a full flex tier is", () => {
  expect(classify({ status: 400, code: "blocked_api_access" })).toEqual({
    reason: "Rate limit exceeded",
    retryable: false,
  });
  expect(classify({ status: 498, code: "capacity_exceeded" })).toEqual({
    reason: "Provider unavailable",
    retryable: true,
  });
  expect(classify({ status: 400, code: "tool_use_failed" })).toBeUndefined();
  expect(classify({ status: 500 })).toBeUndefined();
});

test("Chat Completions comes first, Responses second", () => {
  const provider = createGroqProvider({} as never);
  const choice = { model: gptOss, operation: "chat", callerDialect: "anthropic-messages" } as const;
  expect(provider.dialects(choice, {} as never)).toEqual(["openai-chat", "openai-responses"]);
});
