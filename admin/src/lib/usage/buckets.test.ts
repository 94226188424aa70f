import { expect, test } from "vitest";
import { bucketTime, granularityFor, groupsOf, seriesOf } from "./buckets.ts";
import { measures } from "./measures.ts";

const at = (name: string) => new Date(bucketTime(name, true)).toISOString();
const measure = (id: string) => measures.find((each) => each.id === id)!;

test("names of buckets are read as moments", () => {
  expect(at("2026-03-01 10:20:30")).toBe("2026-03-01T10:20:30.000Z");
  expect(at("2026-03-01")).toBe("2026-03-01T00:00:00.000Z");
  expect(at("2026-03")).toBe("2026-03-01T00:00:00.000Z");
  expect(at("2026")).toBe("2026-01-01T00:00:00.000Z");
  // The first week of 2026 begins in 2025, that of 2027 on the 4th.
  expect(at("2026-W01")).toBe("2025-12-29T00:00:00.000Z");
  expect(at("2027-W01")).toBe("2027-01-04T00:00:00.000Z");
  expect(at("2026-W10")).toBe("2026-03-02T00:00:00.000Z");
});

test("a range gets buckets of a width that can be read", () => {
  expect([1, 24, 24 * 30, 24 * 365].map((hours) => granularityFor(hours * 3_600_000))).toEqual([
    "minute",
    "hour",
    "day",
    "week",
  ]);
});

test("the largest groups are series of their own, the others one together", () => {
  const rows = Array.from({ length: 8 }, (_, index) => ({
    time: "2026-03-01",
    model: index === 7 ? null : `m${index}`,
    requestCount: 10 - index,
  }));
  const groups = groupsOf(rows, ["model"]);
  const series = seriesOf(groups, ["2026-03-01", "2026-03-02"], measure("requests"), {
    all: "all",
    stacked: true,
  });
  expect(series.map(({ label, values }) => [label, ...values])).toEqual([
    ["m0", 10, 0],
    ["m1", 9, 0],
    ["m2", 8, 0],
    ["m3", 7, 0],
    ["m4", 6, 0],
    ["3 others", 12, 0],
  ]);
  // Percentiles cannot be added up.
  expect(seriesOf(groups, ["2026-03-01"], measure("latency-p95"), { all: "all", stacked: false }))
    .toHaveLength(5);
});

test("rates are read from sums, and are unknown where nothing happened", () => {
  const read = (id: string, row: Record<string, number | null>) => measure(id).value(row);
  expect(read("leg-errors", { errorCount: 1, successCount: 3 })).toBe(25);
  expect(read("leg-errors", { errorCount: 0, successCount: 0 })).toBeNull();
  // Five fell back and were served, one failed, one caller left.
  expect(read("errors", { requestCount: 10, errorCount: 6, successCount: 8 })).toBe(20);
  expect(read("errors", { requestCount: 10, errorCount: 1, successCount: 8 })).toBe(10);
  expect(read("errors", { requestCount: 0, errorCount: 0, successCount: 0 })).toBeNull();
  expect(read("fallbacks", { legCount: 12, requestCount: 10 })).toBe(20);
  expect(read("cache", { cachedTokens: 30, promptTokens: 40 })).toBe(75);
  expect(read("latency-p95", { requestDuration: null })).toBeNull();
});
