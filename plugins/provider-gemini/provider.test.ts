import { expect, test } from "vitest";
import type { ErrorAnswer, JsonObject } from "@vmx/core/contract";
import { Secret } from "@vmx/core/kit";
import { classifyError } from "./classify.ts";
import { baseUrlOf, defaultBaseUrl } from "./configuration.ts";
import { readLimits } from "./limits.ts";
import { profileOf } from "./model-traits.ts";
import { createGeminiProvider } from "./provider.ts";

const detail = (kind: string, members: JsonObject): JsonObject => ({
  "@type": `type.googleapis.com/google.rpc.${kind}`,
  ...members,
});

const body = (...details: JsonObject[]): JsonObject => ({
  error: { code: 429, message: "Slow down", status: "RESOURCE_EXHAUSTED", details },
});

const retryInfo = detail("RetryInfo", { retryDelay: "34.4s" });
const perMinute = detail("QuotaFailure", {
  violations: [
    {
      quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
      quotaMetric: "x/generate_content_free_tier_requests",
      quotaValue: "15",
    },
    {
      quotaId: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
      quotaMetric: "x/generate_content_free_tier_input_token_count",
      quotaValue: "250000",
    },
  ],
});

function classify(answer: Partial<ErrorAnswer>) {
  return classifyError({ status: 429, headers: {}, message: "", ...answer }, 0);
}

test("a bad key is told by its reason, because the status is that of a bad request", () => {
  for (const code of ["API_KEY_INVALID", "API_KEY_EXPIRED"]) {
    expect(classify({ status: 400, code })).toEqual({
      reason: "Provider rejected the credential",
      retryable: false,
    });
  }
  expect(classify({ status: 400, code: "INVALID_ARGUMENT" })).toBeUndefined();
});

test("the wait is the longest of what header, body and message say", () => {
  expect(classify({ body: body(retryInfo) })).toEqual({ retryAfterMs: 34_400 });
  expect(classify({ message: "Please retry in 39.5s." })).toEqual({ retryAfterMs: 39_500 });
  expect(classify({ message: "Please retry in 1m2s." })).toEqual({ retryAfterMs: 62_000 });
  expect(classify({ body: body(retryInfo), headers: { "retry-after": "60" } }))
    .toEqual({ retryAfterMs: 60_000 });
  expect(classify({ body: body() })).toBeUndefined();
  expect(classify({ status: 503, body: body(retryInfo) })).toBeUndefined();
});

test("a quota of a day is not waited for", () => {
  const perDay = detail("QuotaFailure", {
    violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }],
  });
  expect(classify({ body: body(perDay, retryInfo) })).toEqual({
    reason: "Rate limit exceeded",
    retryable: false,
  });
});

test("quota values of a minute are limits", () => {
  expect(readLimits(body(perMinute, retryInfo))).toEqual({
    requests: { limit: 15, remaining: 0, resetAfterMs: 34_400 },
    inputTokens: { limit: 250_000, remaining: 0, resetAfterMs: 34_400 },
  });
  const info = detail("ErrorInfo", {
    reason: "RATE_LIMIT_EXCEEDED",
    metadata: {
      quota_limit: "GenerateContentRequestsPerMinutePerProject",
      quota_limit_value: "60",
    },
  });
  expect(readLimits(body(info))).toEqual({ requests: { limit: 60, remaining: 0 } });
});

test("quotas without a sensible value tell nothing", () => {
  for (const quotaValue of ["0", "-1", "many", 1e300, null]) {
    const violations = [{ quotaId: "GenerateRequestsPerMinute", quotaValue }];
    expect(readLimits(body(detail("QuotaFailure", { violations })))).toBeUndefined();
  }
  expect(readLimits(undefined)).toBeUndefined();
  expect(readLimits({ error: "no" })).toBeUndefined();
});

test("a base URL without a version gets the SDK's", () => {
  const of = (baseUrl: string) => baseUrlOf({ apiKey: new Secret("k"), baseUrl });
  expect(baseUrlOf({ apiKey: new Secret("k") })).toBe(defaultBaseUrl);
  expect(of("https://proxy.test")).toBe("https://proxy.test/v1");
  expect(of("https://proxy.test/google/")).toBe("https://proxy.test/google/v1");
  expect(of("https://proxy.test/v1beta")).toBe("https://proxy.test/v1beta");
  expect(of("https://proxy.test/v1beta1/")).toBe("https://proxy.test/v1beta1");
});

test.each([
  ["gemini-2.5-flash", { penalties: false, maxBudget: 24_576 }],
  ["models/gemini-2.5-flash-lite", { penalties: false, minBudget: 512, maxBudget: 24_576 }],
  ["gemini-2.5-pro", {
    penalties: false,
    minBudget: 128,
    maxBudget: 32_768,
    mayReasonNot: false,
  }],
  ["gemini-2.0-flash", { thinking: "none" }],
  ["gemini-1.5-pro", { thinking: "none" }],
  ["gemini-2.5-flash-image", { thinking: "none" }],
  ["gemma-3-27b-it", { thinking: "none" }],
  ["tunedModels/mine", {}],
])("%s takes reasoning as its guide says", (model, profile) => {
  expect(profileOf(model)).toEqual(profile);
});

test("models from 3 on take levels, media in results, and a stand-in for signatures", () => {
  expect(profileOf("publishers/google/models/gemini-3-pro-preview")).toMatchObject({
    thinking: "level",
    levels: ["low", "high"],
    mediaInResults: true,
    signaturePlaceholder: expect.any(String),
  });
  expect(profileOf("gemini-3.1-pro-preview")["levels"]).toEqual(["low", "medium", "high"]);
  expect(profileOf("gemini-3-flash-preview")["levels"]).toContain("minimal");
});

test("every caller is served in the service's own dialect", () => {
  const provider = createGeminiProvider({} as never);
  for (const callerDialect of ["openai-chat", "anthropic-messages"]) {
    const choice = { model: "gemini-2.5-flash", operation: "chat", callerDialect } as const;
    expect(provider.dialects(choice, {} as never)).toEqual(["gemini-generate-content"]);
  }
});
