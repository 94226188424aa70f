import type { UsageGranularity } from "@vmx/schemas";

/** Tells local time: milliseconds as if the wall clock were UTC. */
export interface Zone {
  readonly name: string;
  toLocal(at: number): number;
  /** The first instant at which the wall clock shows `local`, or has passed it where it skips. */
  fromLocal(local: number): number;
}

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

const fixedMs: Partial<Record<UsageGranularity, number>> = {
  second: secondMs,
  second_5: 5 * secondMs,
  second_10: 10 * secondMs,
  second_15: 15 * secondMs,
  second_30: 30 * secondMs,
  minute: minuteMs,
};

/** Whether buckets of a unit are shorter than the finest rollup. */
export function isBelowMinute(granularity: UsageGranularity): boolean {
  return (fixedMs[granularity] ?? minuteMs) < minuteMs;
}

/** Opens a time zone by its IANA name; undefined when there is none of that name. */
export function createZone(name: string): Zone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  if (name === "UTC") return { name, toLocal: (at) => at, fromLocal: (local) => local };
  const toLocal = (at: number) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const { year, month, day, hour, minute, second } = parts;
    const wholeSecond = Math.floor(at / secondMs) * secondMs;
    return Date.UTC(year!, month! - 1, day!, hour, minute, second) + at - wholeSecond;
  };
  const offset = (at: number) => toLocal(at) - at;
  return {
    name,
    toLocal,
    fromLocal(local) {
      const before = local - offset(local - dayMs - hourMs);
      const after = local - offset(local + dayMs + hourMs);
      const shown = [before, after].filter((at) => toLocal(at) === local);
      // Neither shows it where the clock skips it: what would have been is the moment of the jump.
      return shown.length > 0 ? Math.min(...shown) : Math.max(before, after);
    },
  };
}

/**
 * Starts of the buckets that meet a range, rising; the first may lie before `start`. Undefined when there would be
 * more than `most`.
 */
export function bucketStarts(
  start: number,
  end: number,
  granularity: UsageGranularity,
  zone: Zone,
  most: number,
): number[] | undefined {
  const starts: number[] = [];
  for (let at = floor(start, granularity, zone); at < end; at = next(at, granularity, zone)) {
    if (starts.length === most) return undefined;
    starts.push(at);
  }
  return starts;
}

/** The name of a bucket, such as `2026-W05`. */
export function bucketName(at: number, granularity: UsageGranularity, zone: Zone): string {
  const local = new Date(zone.toLocal(at));
  const text = local.toISOString();
  switch (granularity) {
    case "year":
      return text.slice(0, 4);
    case "month":
      return text.slice(0, 7);
    case "day":
      return text.slice(0, 10);
    case "week": {
      // The week belongs to the year its Thursday lies in (ISO 8601).
      const thursday = new Date(local.getTime() + 3 * dayMs);
      const year = thursday.getUTCFullYear();
      const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
      return `${year}-W${String(week).padStart(2, "0")}`;
    }
    default:
      return text.slice(0, 19).replace("T", " ");
  }
}

function floor(at: number, granularity: UsageGranularity, zone: Zone): number {
  const fixed = fixedMs[granularity];
  if (fixed !== undefined) return Math.floor(at / fixed) * fixed;
  const local = zone.toLocal(at);
  if (granularity === "hour") return at - modulo(local, hourMs);
  return zone.fromLocal(localFloor(local, granularity));
}

function next(at: number, granularity: UsageGranularity, zone: Zone): number {
  const fixed = fixedMs[granularity];
  if (fixed !== undefined) return at + fixed;
  if (granularity === "hour") {
    const later = at + hourMs;
    const past = modulo(zone.toLocal(later), hourMs);
    // Where a clock is moved by half an hour, one bucket is longer.
    return past === 0 ? later : later + hourMs - past;
  }
  // Far enough to reach the next unit, whatever the clock does at its edge.
  const local = zone.toLocal(at);
  const inside = localFloor(
    local + (granularity === "day" ? 2 * hourMs : 12 * hourMs),
    granularity,
  );
  const date = new Date(inside);
  const after = granularity === "day"
    ? inside + dayMs
    : granularity === "week"
    ? inside + 7 * dayMs
    : granularity === "month"
    ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
    : Date.UTC(date.getUTCFullYear() + 1, 0, 1);
  return zone.fromLocal(after);
}

function localFloor(local: number, granularity: UsageGranularity): number {
  const date = new Date(local);
  const day = Math.floor(local / dayMs) * dayMs;
  if (granularity === "week") return day - modulo(date.getUTCDay() - 1, 7) * dayMs;
  if (granularity === "month") return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  if (granularity === "year") return Date.UTC(date.getUTCFullYear(), 0, 1);
  return day;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
