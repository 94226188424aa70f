import { expect, test } from "vitest";
import { historyOf, lastMinutes } from "./history.ts";

const now = Date.parse("2026-11-21T10:02:30.000Z");

test("the last minutes end with the present one", () => {
  expect(lastMinutes(3, now).map((time) => new Date(time).toISOString())).toEqual([
    "2026-11-21T10:00:00.000Z",
    "2026-11-21T10:01:00.000Z",
    "2026-11-21T10:02:00.000Z",
  ]);
});

test("legs are told apart by what became of them, minute by minute", () => {
  const rows = [
    { time: "2026-11-21 10:00:00", failureReason: null, legCount: 4, totalTokens: 90 },
    { time: "2026-11-21 10:00:00", failureReason: "Denied by capacity", legCount: 2 },
    { time: "2026-11-21 10:02:00", failureReason: "Denied by prioritization", legCount: 1 },
    { time: "2026-11-21 10:02:00", failureReason: "Timed out", legCount: 3, totalTokens: 5 },
    { time: "2026-11-21 09:00:00", failureReason: null, legCount: 9, totalTokens: 9 },
  ];
  const times = lastMinutes(3, now);
  expect(historyOf(rows, times)).toEqual({
    times,
    served: [4, 0, 0],
    failed: [0, 0, 3],
    refused: [2, 0, 1],
    tokens: [90, 0, 5],
  });
});
