import { expect, test } from "vitest";
import { calendarWindow } from "./calendar-window.ts";

const at = Date.parse("2026-03-01T23:59:59.999Z");
const iso = (ms: number | null) => ms === null ? null : new Date(ms).toISOString();

test.each(
  [
    ["minute", "2026-03-01T23:59:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["hour", "2026-03-01T23:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["day", "2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["week", "2026-02-23T00:00:00.000Z", "2026-03-02T00:00:00.000Z"],
    ["month", "2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"],
    ["lifetime", "1970-01-01T00:00:00.000Z", null],
  ] as const,
)(
  "the %s of a Sunday's last millisecond begins and ends by the UTC calendar",
  (period, start, end) => {
    const window = calendarWindow(period, at);
    expect([iso(window.start), iso(window.end)]).toEqual([start, end]);
  },
);

test("a window's end is the start of the next, in leap years too", () => {
  for (const period of ["minute", "hour", "day", "week", "month"] as const) {
    let { start, end } = calendarWindow(period, Date.parse("2027-12-28T00:00:00Z"));
    for (let step = 0; step < 15; step++) {
      const next = calendarWindow(period, end!);
      expect(next.start).toBe(end);
      expect(calendarWindow(period, end! - 1).start).toBe(start);
      ({ start, end } = next);
    }
  }
});
