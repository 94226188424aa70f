import { expect, test } from "vitest";
import { parseDurationMs, readRateLimits, readRetryAfterMs } from "./rate-limits.ts";

test.each([
  ["0s", 0],
  ["2ms", 2],
  ["20s", 20_000],
  ["6.386s", 6386],
  ["1m30s", 90_000],
  ["2m59.56s", 179_560],
  ["1h0m1s", 3_601_000],
  ["6", 6000],
  ["59.7", 59_700],
  ["", undefined],
  ["soon", undefined],
  ["-5s", undefined],
  ["NaN", undefined],
  ["1e9", undefined],
  ["99999999999s", undefined],
  ["1m 30s", undefined],
  ["0x10s", undefined],
])("the duration %s is %s ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test("limits, what remains and the time to the reset are read for both axes", () => {
  expect(readRateLimits({
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-tokens": "199999",
    "x-ratelimit-reset-tokens": "0s",
  })).toEqual({
    requests: { limit: 500, remaining: 499, resetAfterMs: 120 },
    tokens: { limit: 200_000, remaining: 199_999, resetAfterMs: 0 },
  });
});

test.each(["NaN", "Infinity", "-1", "0", "1e99", "", "9".repeat(40), "12abc", "1.5", "١٢"])(
  "the limit %j counts as absent",
  (value) => {
    expect(readRateLimits({ "x-ratelimit-limit-requests": value })).toBeUndefined();
  },
);

test("a remainder or reset that makes no sense is left out", () => {
  expect(readRateLimits({
    "x-ratelimit-limit-tokens": "100",
    "x-ratelimit-remaining-tokens": "101",
    "x-ratelimit-reset-tokens": "later",
  })).toEqual({ tokens: { limit: 100 } });
});

test("a retry hint is milliseconds, seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(readRetryAfterMs({ "retry-after-ms": "250", "retry-after": "9" }, now)).toBe(250);
  expect(readRetryAfterMs({ "retry-after": "7" }, now)).toBe(7000);
  expect(readRetryAfterMs({ "retry-after": "Thu, 01 Jan 2026 00:00:05 GMT" }, now)).toBe(5000);
  expect(readRetryAfterMs({ "retry-after": "Thu, 01 Jan 2025 00:00:05 GMT" }, now)).toBe(0);
  expect(readRetryAfterMs({ "retry-after": "whenever" }, now)).toBeUndefined();
  expect(readRetryAfterMs({}, now)).toBeUndefined();
});
