import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorAnswer, JsonObject } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { classifyError } from "./classify.ts";
import { traitsOf } from "./model-traits.ts";
import { adaptBody, profileOf } from "./profile.ts";
import { createAnthropicProvider } from "./provider.ts";
import { readLimits, withCommonNames } from "./rate-limits.ts";

const wire = join(
  process.env["VMX_FIXTURES"] ??
    fileURLToPath(new URL("../../../shared/fixtures", import.meta.url)),
  "wire",
);
const recordings = existsSync(wire);
const now = Date.parse("2026-08-19T14:34:00Z");

function read<Value>(provider: string, name: string, file: string): Value {
  return JSON.parse(readFileSync(join(wire, provider, name, file), "utf8")) as Value;
}

test("what a name tells of a model is what the recorded models list says", (context) => {
  if (!recordings) context.skip(`no recordings at ${wire}; set VMX_FIXTURES to their folder`);
  type Supported = { readonly supported: boolean };
  interface Listed {
    readonly id: string;
    readonly max_tokens: number;
    readonly capabilities: {
      readonly effort: Supported & Readonly<Record<string, Supported>>;
      readonly structured_outputs: Supported;
      readonly thinking: { readonly types: Readonly<Record<string, Supported>> };
    };
  }
  const [name] = readdirSync(join(wire, "anthropic-models"));
  const { data } = read<{ data: readonly Listed[] }>("anthropic-models", name!, "response.json");
  expect(data.length).toBeGreaterThan(10);
  for (const { id, max_tokens, capabilities } of data) {
    const { effort, structured_outputs, thinking } = capabilities;
    const traits = traitsOf(id);
    const way = thinking.types["adaptive"]?.supported ? "adaptive" : "budget";
    const { supported: _, ...levels } = effort;
    const efforts = Object.keys(levels).filter((level) => levels[level]?.supported);
    expect({ id, ...traits }).toMatchObject({
      id,
      maxTokens: max_tokens,
      structuredOutput: structured_outputs.supported,
      thinking: way,
      ...(way === "adaptive" ? { efforts } : {}),
    });
  }
});

test("names of before, after and of nobody are read too", () => {
  expect(traitsOf("claude-3-5-sonnet-20240620")).toMatchObject({
    maxTokens: 4_096,
    thinking: "none",
  });
  expect(traitsOf("claude-3-5-haiku-latest")).toMatchObject({ maxTokens: 8_192, thinking: "none" });
  expect(traitsOf("claude-3-opus-20240229")).toMatchObject({ maxTokens: 4_096 });
  expect(traitsOf("claude-3-7-sonnet-20250219")).toMatchObject({
    maxTokens: 64_000,
    thinking: "budget",
    structuredOutput: false,
  });
  expect(traitsOf("claude-sonnet-4-20250514")).toMatchObject({
    maxTokens: 64_000,
    thinking: "budget",
    sampling: "both",
  });
  expect(traitsOf("claude-opus-4-0")).toMatchObject({ maxTokens: 32_000, structuredOutput: false });
  expect(traitsOf("claude-haiku-4-5")).toEqual(traitsOf("claude-haiku-4-5-20251001"));
  for (const model of ["claude-opus-5-5", "claude-haiku-5-5", "claude-fable-6"]) {
    expect(traitsOf(model)).toMatchObject({
      maxTokens: 128_000,
      thinking: "adaptive",
      sampling: "none",
    });
  }
  expect(traitsOf("my-own-model").maxTokens).toBeUndefined();
});

test("as little thinking as can be had differs from model to model", () => {
  const off = (model: string) => profileOf(model)["thinkingOff"];
  expect(off("claude-haiku-4-5")).toBe("disabled");
  expect(off("claude-opus-4-8")).toBe("disabled");
  expect(off("claude-opus-5")).toBe("disabled");
  expect(off("claude-haiku-5-5")).toBe("disabled");
  expect(off("claude-sonnet-5-5")).toBe("between_tools");
  expect(off("claude-opus-5-5")).toBe("none");
  expect(off("claude-fable-5")).toBe("none");
});

test("the models that always think take no forced tool call since 5.1", () => {
  const forced = (model: string) => profileOf(model)["forcedToolUse"];
  expect(["claude-opus-5-5", "claude-fable-5-1", "claude-mythos-5-2"].map(forced))
    .toEqual([false, false, false]);
  expect(["claude-haiku-4-5", "claude-fable-5", "claude-sonnet-5-5", "claude-3-haiku-20240307"]
    .map(forced)).toEqual([true, true, true, true]);
});

test("the profile says what a model takes in the dialect's words", () => {
  expect(profileOf("claude-haiku-4-5")).toMatchObject({
    maxTokens: 64_000,
    thinking: "budget",
    structuredOutput: "output_config",
    temperatureWithTopP: false,
    strip: undefined,
  });
  expect(profileOf("claude-opus-5")).toMatchObject({
    thinking: "adaptive",
    efforts: ["low", "medium", "high", "xhigh", "max"],
    strip: ["temperature", "top_p", "top_k"],
  });
});

function adapt(model: string, body: JsonObject, operation: "chat" | "count-tokens" = "chat") {
  return adaptBody({ operation, dialect: "anthropic-messages", model, body });
}

test("a model that takes no sampling loses it with a warning, at its default without", () => {
  const body = { temperature: 1, top_p: 0.9, top_k: 5, max_tokens: 10 };
  const adaptation = adapt("claude-sonnet-5", body);
  expect(adaptation?.remove).toEqual(["temperature", "top_p", "top_k"]);
  expect(adaptation?.warnings?.map(({ path }) => path)).toEqual(["/top_p", "/top_k"]);
  expect(adapt("claude-sonnet-5", { temperature: 1 })).toEqual({ remove: ["temperature"] });
  expect(adapt("claude-sonnet-5", { max_tokens: 10 })).toBeUndefined();
  expect(adapt("claude-sonnet-4-6", body)).toBeUndefined();
  expect(adapt("claude-sonnet-5", body, "count-tokens")).toBeUndefined();
});

test("recorded headers tell limits of four axes with the time to their reset", (context) => {
  if (!recordings) context.skip(`no recordings at ${wire}; set VMX_FIXTURES to their folder`);
  const { headers } = read<{ headers: Record<string, string> }>(
    "anthropic",
    "plain-text-claude-haiku-4-5-20251001-445362",
    "headers.json",
  );
  expect(readLimits(headers, now)).toEqual({
    requests: { limit: 10_000, remaining: 9_999, resetAfterMs: 22_000 },
    tokens: { limit: 12_000_000, remaining: 12_000_000, resetAfterMs: 22_000 },
    inputTokens: { limit: 10_000_000, remaining: 10_000_000, resetAfterMs: 22_000 },
    outputTokens: { limit: 2_000_000, remaining: 2_000_000, resetAfterMs: 22_000 },
  });
  // A reset that has passed is now.
  expect(readLimits(headers, now + 60_000)?.requests?.resetAfterMs).toBe(0);
  expect(readLimits({ "content-type": "text/html" }, now)).toBeUndefined();
});

test("answers carry request id and limits in the common spelling beside their own", () => {
  const headers = {
    "request-id": "req_1",
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-08-19T14:34:01.500Z",
    "anthropic-ratelimit-input-tokens-limit": "1000",
    "anthropic-ratelimit-tokens-reset": "soon",
  };
  expect(withCommonNames(headers, now)).toEqual({
    ...headers,
    "x-request-id": "req_1",
    "x-ratelimit-limit-requests": "50",
    "x-ratelimit-remaining-requests": "49",
    "x-ratelimit-reset-requests": "1.5s",
    "x-ratelimit-limit-input-tokens": "1000",
  });
});

function classify(answer: Partial<ErrorAnswer>) {
  return classifyError({ status: 429, headers: {}, message: "", ...answer }, now);
}

test("the wait is the longest of retry-after and the resets of the exhausted axes", () => {
  const headers = {
    "retry-after": "7",
    "anthropic-ratelimit-requests-remaining": "3",
    "anthropic-ratelimit-requests-reset": "2026-08-19T14:35:00Z",
    "anthropic-ratelimit-output-tokens-remaining": "0",
    "anthropic-ratelimit-output-tokens-reset": "2026-08-19T14:34:20Z",
  };
  expect(classify({ headers })).toEqual({ retryAfterMs: 20_000 });
  expect(classify({ headers: { "retry-after": "7" } })).toEqual({ retryAfterMs: 7_000 });
  expect(classify({})).toBeUndefined();
});

test("used-up money is not worth waiting for, whatever its status", () => {
  const verdict = { reason: "Rate limit exceeded", retryable: false };
  expect(classify({ code: "enforced_spend_limit_reached" })).toEqual(verdict);
  expect(classify({ status: 402, type: "billing_error" })).toEqual(verdict);
  const message = "Your credit balance is too low to access the Anthropic API.";
  expect(classify({ status: 400, type: "invalid_request_error", message })).toEqual(verdict);
  expect(classify({ status: 400, type: "invalid_request_error", message: "no" })).toBeUndefined();
});

test("an overloaded service is left to the common rule, its own advice against a retry heeded", () => {
  expect(classify({ status: 529, type: "overloaded_error" })).toBeUndefined();
  expect(classify({ status: 529, headers: { "x-should-retry": "true" } })).toBeUndefined();
  expect(classify({ status: 500, headers: { "x-should-retry": "false" } })).toEqual({
    retryable: false,
  });
  expect(classify({ headers: { "x-should-retry": "false", "retry-after": "90000" } })).toEqual({
    retryable: false,
    retryAfterMs: 90_000_000,
  });
});

test("Messages is the one dialect, for token counts too", () => {
  const provider = createAnthropicProvider({} as never);
  const choice = { model: "claude-haiku-4-5", callerDialect: "openai-chat" };
  for (const operation of ["chat", "count-tokens"] as const) {
    expect(provider.dialects({ ...choice, operation }, {} as never)).toEqual([
      "anthropic-messages",
    ]);
  }
  expect(provider.operations).toEqual(["chat", "count-tokens", "models"]);
});
