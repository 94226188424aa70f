import { expect, test } from "vitest";
import { type FigureAnswers, figuresOf, lastHours, requestsIn } from "./figures.ts";

const answer = (data: Record<string, unknown>[], previous?: Record<string, unknown>[]) => ({
  data,
  truncated: false,
  sink: "database",
  ...(previous ? { previous: { data: previous, truncated: false } } : {}),
});
const hours = lastHours(3, Date.parse("2026-03-02T12:40:00Z"));
const at = (hour: number) => new Date(hours[hour]!).toISOString().slice(0, 16).replace("T", " ");
const times = { p50: answer([]), p95: answer([{ requestDuration: 1500 }], [{}]) };
const answers: FigureAnswers = {
  total: answer(
    [{ requestCount: 40, errorCount: 10, successCount: 30, totalTokens: 1200, totalCost: null }],
    [{ requestCount: 20, errorCount: 0, successCount: 20, totalTokens: 0 }],
  ),
  byHour: answer([
    { time: at(0), requestCount: 30, errorCount: 10, successCount: 20 },
    { time: at(2), requestCount: 10, errorCount: 0, successCount: 10 },
  ]),
  times,
  timesByHour: { p50: answer([]), p95: answer([{ time: at(2), requestDuration: 900 }]) },
};

test("figures tell the value, every hour of the range, and the change against the range before", () => {
  expect(requestsIn(answers)).toBe(40);
  const figures = figuresOf(answers, hours, "USD");
  expect(figures).toEqual([
    { label: "Requests", text: "40", values: [30, 0, 10], changePercent: 100 },
    { label: "Error rate", text: "25 %", values: [100 / 3, null, 0], riseIsGood: false },
    { label: "Duration, p95", text: "1.50 s", values: [null, null, 900], riseIsGood: false },
    { label: "Tokens", text: "1.2K", values: [0, 0, 0] },
  ]);
});

test("hours end with the present one", () => {
  expect(hours.map((hour) => new Date(hour).toISOString())).toEqual([
    "2026-03-02T10:00:00.000Z",
    "2026-03-02T11:00:00.000Z",
    "2026-03-02T12:00:00.000Z",
  ]);
});
