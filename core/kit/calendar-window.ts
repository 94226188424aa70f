import type { Period } from "../contract/capacity-store.ts";

/** A window limits are counted in; Unix milliseconds. */
export interface CalendarWindow {
  readonly start: number;
  /** Null for the window that never ends. */
  readonly end: number | null;
}

const lengthsMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
const weekMs = 7 * lengthsMs.day;
/** 1970-01-01 was a Thursday: the first Monday came four days later. */
const firstMonday = 4 * lengthsMs.day;

/** The calendar window in UTC that a moment lies in. Weeks begin on Monday; a lifetime begins at 0. */
export function calendarWindow(period: Period, at: number): CalendarWindow {
  if (period === "lifetime") return { start: 0, end: null };
  if (period === "month") {
    const date = new Date(at);
    const year = date.getUTCFullYear();
    const month = date.getUTCMonth();
    return { start: Date.UTC(year, month), end: Date.UTC(year, month + 1) };
  }
  if (period === "week") {
    const start = Math.floor((at - firstMonday) / weekMs) * weekMs + firstMonday;
    return { start, end: start + weekMs };
  }
  const lengthMs = lengthsMs[period];
  const start = Math.floor(at / lengthMs) * lengthMs;
  return { start, end: start + lengthMs };
}
