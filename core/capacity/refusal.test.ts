import { expect, test } from "vitest";
import type { Meter, Refusal } from "../contract/index.ts";
import { type RefusalContext, refusalError } from "./refusal.ts";

const now = Date.parse("2026-03-01T12:00:30Z");
const context: RefusalContext = {
  amount: { requests: 1, tokens: 500 },
  now,
  nameOf: (level) => `my ${level}`,
  showPools: true,
  poolLimit: 100_000,
  cooldownSeconds: 5,
};

const refusal = (
  level: Meter["level"],
  resetAt: number | null,
  limit = 1_000,
  period: Meter["period"] = "minute",
): Refusal => ({
  gate: "capacity",
  meter: { level, subjectId: level, period, limit: { requests: null, tokens: limit } },
  axis: "tokens",
  used: 900,
  resetAt,
});

const told = (refused: readonly Refusal[]) => refusalError(refused, context).details;

test("of several the one that resets last is told, ties in the order of the levels", () => {
  const soon = now + 1_000;
  expect(told([refusal("resource", soon), refusal("connection", soon + 1)])).toMatchObject({
    level: "connection",
  });
  expect(told([
    refusal("connection", soon),
    refusal("batch", soon),
    refusal("api-key", soon),
    refusal("resource", soon),
  ])).toMatchObject({ level: "resource" });
  expect(told([refusal("resource", soon), refusal("api-key", null, 1_000, "lifetime")]))
    .toMatchObject({ level: "api-key", resetAt: null });
  expect(told([refusal("resource", null), refusal("connection", soon, 499)])).toMatchObject({
    level: "connection",
    impossible: true,
  });
});

test("the wait is whole seconds, rounded up, and retrying by itself ends at a minute", () => {
  const at = (ms: number) => refusalError([refusal("connection", now + ms)], context);
  expect(at(1)).toMatchObject({ retryAfterSeconds: 1, shouldRetry: true });
  expect(at(-5)).toMatchObject({ retryAfterSeconds: 1 });
  expect(at(22_001).message).toBe(
    'Capacity reached: connection "my connection" 900 of 1000 tokens this minute, ' +
      "the request needs 500, resets in 23 s",
  );
  expect(at(60_000).shouldRetry).toBe(true);
  expect(at(60_001).shouldRetry).toBe(false);
});

const pool: Refusal = {
  gate: "prioritization",
  rule: "share",
  pool: "docs",
  current: 10_000,
  min: 0,
  max: 50_000,
  used: 9_800,
  others: [{ name: "chat", current: 90_000, min: 50_000, max: 100_000 }],
};

test("a pool's refusal tells its bounds in percent, and of the others only to people", () => {
  const error = refusalError([pool], context);
  expect(error).toMatchObject({ code: "prioritization_gate_denied", retryAfterSeconds: 5 });
  expect(error.details).toMatchObject({
    gate: "prioritization",
    pool: "docs",
    min: 0,
    current: 10,
    max: 50,
    usedByPool: 9_800,
    requested: 500,
    rule: "share",
    otherPools: [{ name: "chat", min: 50, current: 90, max: 100 }],
  });
  expect(refusalError([pool], { ...context, showPools: false }).details)
    .not.toHaveProperty("otherPools");
  expect(refusalError([{ ...pool, rule: "protected-minimum" }], context)).toMatchObject({
    retryAfterSeconds: 30,
    details: { rule: "protected_minimum" },
  });
});

test("a request no pool could ever admit is told so", () => {
  const amount = { requests: 1, tokens: 50_001 };
  expect(refusalError([{ ...pool, rule: "maximum" }], { ...context, amount })).toMatchObject({
    shouldRetry: false,
    details: { impossible: true },
    message:
      'Prioritization refused 50001 tokens to pool "docs": its maximum of 50 % is 50000 tokens ' +
      "a minute, less than the request needs",
  });
});
