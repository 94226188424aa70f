import { expect, test } from "vitest";
import { rangePresets, readRange } from "./range.ts";

const now = new Date("2026-03-29T12:34:56.000Z");
const read = (range: string | null, from: string | null = null, to: string | null = null) =>
  readRange({ range, from, to }, { now, utc: true, otherwise: "24h" });

test("days, weeks, months and years begin where the calendar says", () => {
  expect(read("today").from.toISOString()).toBe("2026-03-29T00:00:00.000Z");
  expect(read("yesterday")).toEqual({
    id: "yesterday",
    from: new Date("2026-03-28T00:00:00.000Z"),
    to: new Date("2026-03-29T00:00:00.000Z"),
  });
  // A Sunday belongs to the week that began the Monday before.
  expect(read("week").from.toISOString()).toBe("2026-03-23T00:00:00.000Z");
  expect(read("last-week").to?.toISOString()).toBe("2026-03-23T00:00:00.000Z");
  expect(read("month").from.toISOString()).toBe("2026-03-01T00:00:00.000Z");
  expect(read("year").from.toISOString()).toBe("2026-01-01T00:00:00.000Z");
});

test("an address that makes no sense shows the usual range", () => {
  for (
    const odd of [
      read(null),
      read("nonsense"),
      read("custom"),
      read("custom", "soon"),
      read("custom", "2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"),
    ]
  ) {
    expect(odd).toEqual({ id: "24h", from: new Date("2026-03-28T12:34:56.000Z"), to: undefined });
  }
});

test("a range of one's own keeps its ends", () => {
  expect(read("custom", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")).toEqual({
    id: "custom",
    from: new Date("2026-03-01T00:00:00.000Z"),
    to: new Date("2026-03-02T00:00:00.000Z"),
  });
});

test("every preset begins before now", () => {
  for (const { at } of rangePresets) {
    expect(at(now, false)[0].getTime()).toBeLessThan(now.getTime());
  }
});
