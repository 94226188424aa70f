/** Where a stretch of time is read from. */
export type Level = "points" | "minutes" | "hours" | "days";

/** A stretch of time, read from one table. */
export interface Segment {
  readonly level: Level;
  /** Unix milliseconds, inclusive. */
  readonly start: number;
  /** Unix milliseconds, exclusive. */
  readonly end: number;
}

/** Levels from coarse to fine with their units. */
const units = [["days", 86_400_000], ["hours", 3_600_000], ["minutes", 60_000]] as const;

/** The coarsest rollup none of whose rows reaches over an edge between buckets. */
export function coarsestLevel(bucketStarts: readonly number[]): Level {
  const edges = bucketStarts.slice(1);
  const found = units.find(([, unitMs]) => edges.every((edge) => edge % unitMs === 0));
  return found?.[0] ?? "points";
}

/**
 * Divides a range into stretches, each read from the coarsest table that has it whole.
 *
 * @param touched minutes the rollups do not have yet, rising: they are read from points
 */
export function segmentsOf(
  start: number,
  end: number,
  coarsest: Level,
  touched: readonly number[],
): Segment[] {
  const segments: Segment[] = [];
  let from = start;
  for (const minute of touched) {
    const until = Math.min(minute + 60_000, end);
    if (until <= from) continue;
    const begin = Math.max(minute, from);
    segments.push(...divide(from, begin, coarsest));
    segments.push({ level: "points", start: begin, end: until });
    from = until;
  }
  segments.push(...divide(from, end, coarsest));
  return joined(segments);
}

function divide(start: number, end: number, coarsest: Level): Segment[] {
  if (start >= end) return [];
  const at = units.findIndex(([level]) => level === coarsest);
  if (at < 0) return [{ level: "points", start, end }];
  const [level, unitMs] = units[at]!;
  const finer = units[at + 1]?.[0] ?? "points";
  const first = Math.ceil(start / unitMs) * unitMs;
  const last = Math.floor(end / unitMs) * unitMs;
  if (first >= last) return divide(start, end, finer);
  return [
    ...divide(start, first, finer),
    { level, start: first, end: last },
    ...divide(last, end, finer),
  ];
}

function joined(segments: readonly Segment[]): Segment[] {
  const result: Segment[] = [];
  for (const segment of segments) {
    const last = result.at(-1);
    if (last && last.level === segment.level && last.end === segment.start) {
      result[result.length - 1] = { ...last, end: segment.end };
    } else result.push(segment);
  }
  return result;
}
