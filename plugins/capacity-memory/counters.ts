import type { DimensionedEntry, MeterKey, MeterLevel, Period } from "@vmx/core/contract";
import { calendarWindow } from "@vmx/core/kit";

/** What one meter has counted in one window. A reservation keeps the counters it was taken from. */
export interface Count {
  requests: number;
  tokens: number;
  reservedRequests: number;
  reservedTokens: number;
  denied: number;
}

/** The counts of one level, subject and period in the present window. */
export interface Entry {
  readonly level: MeterLevel;
  readonly subjectId: string;
  readonly period: Period;
  start: number;
  /** Unix milliseconds; Infinity for a lifetime. */
  end: number;
  whole: Count | undefined;
  /** By the dimension's name, then by its value. */
  values: Map<string, Map<string, Count>> | undefined;
}

/** The counters of one environment. */
export interface Counters {
  /** The entry of a meter, turned to the window `now` lies in; made when there is none. */
  entry(meter: Pick<MeterKey, "level" | "subjectId" | "period">, now: number): Entry;
  /** The same without making one. */
  find(meter: Pick<MeterKey, "level" | "subjectId" | "period">, now: number): Entry | undefined;
  forget(meter: Pick<MeterKey, "level" | "subjectId" | "period">): void;
  /** All entries in their present windows. */
  present(now: number): Iterable<Entry>;
  /** Drops subjects whose windows have all ended an hour ago, looking at `steps` of them. */
  sweep(steps: number, now: number): void;
}

/** Values of a dimensioned entry and window with a counter of their own. */
const maxValues = 10_000;
/** Where further values are counted. */
export const otherValue = "other";
const keptMs = 3_600_000;

const levelIndex = { connection: 0, resource: 1, "api-key": 2, batch: 3, pool: 4 } as const;
const periodIndex = { minute: 0, hour: 1, day: 2, week: 3, month: 4, lifetime: 5 } as const;
const periodCount = 6;

/** Creates the counters of one environment. Maps instead of composed keys: the hot path builds no text. */
export function createCounters(): Counters {
  const subjects = new Map<string, (Entry | undefined)[]>();
  let swept = subjects.entries();

  const find: Counters["find"] = (meter, now) => {
    const entry = subjects.get(meter.subjectId)?.[slotOf(meter)];
    if (entry !== undefined && (now >= entry.end || now < entry.start)) turn(entry, now);
    return entry;
  };
  return {
    find,
    entry(meter, now) {
      const found = find(meter, now);
      if (found) return found;
      const { level, subjectId, period } = meter;
      const entry = {
        level,
        subjectId,
        period,
        start: 0,
        end: 0,
        whole: undefined,
        values: undefined,
      };
      turn(entry, now);
      let slots = subjects.get(subjectId);
      if (!slots) subjects.set(subjectId, slots = []);
      return slots[slotOf(meter)] = entry;
    },
    forget(meter) {
      const slots = subjects.get(meter.subjectId);
      if (slots) slots[slotOf(meter)] = undefined;
    },
    *present(now) {
      for (const slots of subjects.values()) {
        for (const entry of slots) {
          if (entry && now >= entry.start && now < entry.end) yield entry;
        }
      }
    },
    sweep(steps, now) {
      for (let step = 0; step < steps; step++) {
        const next = swept.next();
        if (next.done) {
          swept = subjects.entries();
          return;
        }
        const [subjectId, slots] = next.value;
        if (slots.every((entry) => !entry || entry.end + keptMs <= now)) subjects.delete(subjectId);
      }
    },
  };
}

/** The count of a meter in its entry, made when there is none; undefined values past the last share `other`. */
export function countOf(entry: Entry, dimension: MeterKey["dimension"]): Count {
  if (dimension === undefined) return entry.whole ??= emptyCount();
  entry.values ??= new Map();
  let values = entry.values.get(dimension.name);
  if (!values) entry.values.set(dimension.name, values = new Map());
  let count = values.get(dimension.value);
  if (count) return count;
  // The shared bucket comes on top of those that have one of their own.
  const value = values.size < maxValues ? dimension.value : otherValue;
  count = values.get(value);
  if (!count) values.set(value, count = emptyCount());
  return count;
}

/** The count of a meter if it has one, with the value it is counted under. */
export function findCount(
  entry: Entry | undefined,
  dimension: MeterKey["dimension"],
): Count | undefined {
  if (dimension === undefined) return entry?.whole;
  const values = entry?.values?.get(dimension.name);
  return values?.get(dimension.value) ??
    (values && values.size >= maxValues ? values.get(otherValue) : undefined);
}

/** Whether a value is counted in the shared bucket. */
export function isShared(entry: Entry, { name, value }: { name: string; value: string }): boolean {
  const values = entry.values?.get(name);
  return values !== undefined && values.size >= maxValues && !values.has(value);
}

/** The fullest values of a dimension: most tokens, then most requests. */
export function fullest(
  entry: Entry | undefined,
  { dimensionName }: DimensionedEntry,
  length: number,
): (readonly [string, Count])[] {
  return [...entry?.values?.get(dimensionName) ?? []]
    .sort(([, a], [, b]) => b.tokens - a.tokens || b.requests - a.requests)
    .slice(0, length);
}

function emptyCount(): Count {
  return { requests: 0, tokens: 0, reservedRequests: 0, reservedTokens: 0, denied: 0 };
}

/** Begins a new window. Counts of the last one live on in the reservations made from them. */
function turn(entry: Entry, now: number): void {
  const { start, end } = calendarWindow(entry.period, now);
  entry.start = start;
  entry.end = end ?? Infinity;
  entry.whole = undefined;
  entry.values = undefined;
}

function slotOf(meter: Pick<MeterKey, "level" | "period">): number {
  return levelIndex[meter.level] * periodCount + periodIndex[meter.period];
}
