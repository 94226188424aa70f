import { expect, test } from "vitest";
import { LegFailure } from "./leg-failure.ts";
import { retryDelayMs } from "./retry.ts";

const failure = (options: { retryable: boolean; retryAfterMs?: number }) =>
  new LegFailure("x", { reason: "Provider unavailable", status: 503, code: "x", ...options });
const middle = () => 0.5;

test("the wait doubles from 250 ms up to 8 s", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6].map((attempt) =>
    retryDelayMs(failure({ retryable: true }), attempt, 10, 60_000, middle)
  );
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000]);
});

test("the provider's own wait wins", () => {
  expect(retryDelayMs(failure({ retryable: true, retryAfterMs: 7000 }), 0, 1, 60_000)).toBe(7000);
});

test("a wait longer than the time left is not begun", () => {
  expect(retryDelayMs(failure({ retryable: true, retryAfterMs: 7000 }), 0, 1, 6999)).toBe(
    undefined,
  );
});

test("refusals and spent attempts are not tried again", () => {
  expect(retryDelayMs(failure({ retryable: false }), 0, 5, 60_000)).toBeUndefined();
  expect(retryDelayMs(failure({ retryable: true }), 2, 2, 60_000)).toBeUndefined();
});
