import { expect, test } from "vitest";
import type { UsageGranularity } from "@vmx/schemas";
import { bucketName, bucketStarts, createZone } from "./calendar.ts";

function buckets(start: string, end: string, granularity: UsageGranularity, timeZone = "UTC") {
  const zone = createZone(timeZone)!;
  const starts = bucketStarts(Date.parse(start), Date.parse(end), granularity, zone, 5_000)!;
  return starts.map((at) => [new Date(at).toISOString(), bucketName(at, granularity, zone)]);
}

test("days begin at the zone's midnight, also when the clock is moved", () => {
  expect(buckets("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "day", "Europe/Berlin")).toEqual([
    ["2026-03-27T23:00:00.000Z", "2026-03-28"],
    ["2026-03-28T23:00:00.000Z", "2026-03-29"],
    ["2026-03-29T22:00:00.000Z", "2026-03-30"],
  ]);
  // Midnight of that day does not exist in Chile: the day begins at one.
  expect(buckets("2025-09-06T12:00:00Z", "2025-09-08T02:00:00Z", "day", "America/Santiago"))
    .toEqual([
      ["2025-09-06T04:00:00.000Z", "2025-09-06"],
      ["2025-09-07T04:00:00.000Z", "2025-09-07"],
    ]);
});

test("the hour that comes twice is two buckets of the same name", () => {
  const hours = buckets("2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z", "hour", "Europe/Berlin");
  expect(hours.map(([, name]) => name)).toEqual([
    "2026-10-25 01:00:00",
    "2026-10-25 02:00:00",
    "2026-10-25 02:00:00",
    "2026-10-25 03:00:00",
  ]);
  expect(buckets("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "hour", "Europe/Berlin"))
    .toHaveLength(25);
});

test("hours follow zones that are off by less than an hour, and clocks moved by half of one", () => {
  expect(buckets("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "hour", "Asia/Kolkata")).toEqual([
    ["2025-12-31T23:30:00.000Z", "2026-01-01 05:00:00"],
    ["2026-01-01T00:30:00.000Z", "2026-01-01 06:00:00"],
  ]);
  const lordHowe = buckets(
    "2026-04-04T13:00:00Z",
    "2026-04-04T18:00:00Z",
    "hour",
    "Australia/Lord_Howe",
  );
  expect(lordHowe.every(([, name]) => name!.endsWith(":00:00"))).toBe(true);
});

test("weeks are those of ISO 8601, months and years the zone's", () => {
  expect(buckets("2027-01-01T00:00:00Z", "2027-01-05T00:00:00Z", "week").map(([, name]) => name))
    .toEqual(["2026-W53", "2027-W01"]);
  expect(buckets("2026-01-31T23:30:00Z", "2026-03-01T00:00:00Z", "month", "Europe/Berlin"))
    .toEqual([
      ["2026-01-31T23:00:00.000Z", "2026-02"],
      ["2026-02-28T23:00:00.000Z", "2026-03"],
    ]);
  expect(buckets("2025-12-31T23:30:00Z", "2027-01-01T00:00:00Z", "year", "Europe/Berlin"))
    .toEqual([
      ["2025-12-31T23:00:00.000Z", "2026"],
      ["2026-12-31T23:00:00.000Z", "2027"],
    ]);
});

test("for any zone and unit, buckets rise without a gap and hold the range", () => {
  const zones = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"];
  for (const name of zones) {
    const zone = createZone(name)!;
    for (const unit of ["hour", "day", "week", "month", "year"] as const) {
      const start = Date.UTC(2011, 11, 20, 5, 17);
      const end = start + (unit === "hour" ? 60 : 900) * 86_400_000;
      const starts = bucketStarts(start, end, unit, zone, 5_000)!;
      expect(starts[0]).toBeLessThanOrEqual(start);
      expect(starts.every((at, index) => index === 0 || at > starts[index - 1]!)).toBe(true);
      const names = starts.map((at) => bucketName(at, unit, zone));
      // Samoa skipped a whole day; nothing else may be missing or double but hours.
      if (unit !== "hour") expect(new Set(names).size).toBe(names.length);
    }
  }
});

test("too many buckets and unknown zones are told", () => {
  expect(createZone("Mars/Olympus")).toBeUndefined();
  expect(bucketStarts(0, 86_400_000, "second", createZone("UTC")!, 5_000)).toBeUndefined();
});
