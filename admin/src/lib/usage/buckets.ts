import type { UsageQuery } from "@vmx/sdk";
import type { Series } from "#lib/charts/series.ts";
import { type Measure, nameOf, type UsageRow } from "./measures.ts";

type Granularity = NonNullable<UsageQuery["granularity"]>;

/** A width of buckets that shows a range well. */
export function granularityFor(ms: number): Granularity {
  if (ms <= 4 * 3_600_000) return "minute";
  if (ms <= 4 * 86_400_000) return "hour";
  if (ms <= 120 * 86_400_000) return "day";
  return "week";
}

/**
 * The moment a bucket begins, from its name such as `2026-03-01 10:00:00`, `2026-03-01`, `2026-W09`, `2026-03`, `2026`.
 *
 * @returns milliseconds since 1970
 */
export function bucketTime(name: string, utc: boolean): number {
  const week = /^(\d{4})-W(\d\d)$/.exec(name);
  const [year, month, day] = week
    // The week with the 4th of January is the first; weeks begin on Mondays.
    ? [Number(week[1]), 1, 4]
    : name.slice(0, 10).split("-").map(Number) as [number, number?, number?];
  const [hours, minutes, seconds] = name.slice(11).split(":").map(Number) as number[];
  const at = (d: number) =>
    utc
      ? Date.UTC(year, (month ?? 1) - 1, d, hours || 0, minutes || 0, seconds || 0)
      : new Date(year, (month ?? 1) - 1, d, hours || 0, minutes || 0, seconds || 0).getTime();
  if (!week) return at(day ?? 1);
  const weekday = (utc ? new Date(at(4)).getUTCDay() : new Date(at(4)).getDay() || 7) || 7;
  return at(4 - (weekday - 1) + (Number(week[2]) - 1) * 7);
}

/** One group of an answer. */
export interface Group {
  readonly label: string;
  /** Values of the dimensions as the gateway told them. */
  readonly values: readonly unknown[];
  /** The rows of the group by the name of their bucket. */
  readonly rows: ReadonlyMap<string, UsageRow>;
}

/** Rows by what they were grouped by; without dimensions there is one group. */
export function groupsOf(rows: readonly UsageRow[], dimensions: readonly string[]): Group[] {
  const groups = new Map<string, { values: readonly unknown[]; rows: Map<string, UsageRow> }>();
  for (const row of rows) {
    const values = dimensions.map((name) => row[name]);
    const key = JSON.stringify(values);
    const group = groups.get(key) ?? { values, rows: new Map<string, UsageRow>() };
    group.rows.set(String(row["time"] ?? ""), row);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({
    ...group,
    label: group.values.map(nameOf).join(" · "),
  }));
}

const most = 5;

/**
 * Series of the groups with the largest totals; the rest is one series where values add up, and left out elsewhere.
 *
 * @param order groups, the largest first
 */
export function seriesOf(
  order: readonly Group[],
  buckets: readonly string[],
  measure: Measure,
  { all, stacked }: { readonly all: string; readonly stacked: boolean },
): Series[] {
  const one = ({ rows, label }: Group): Series => ({
    label: label || all,
    stacked: stacked && measure.adds,
    values: buckets.map((bucket) => {
      const row = rows.get(bucket);
      return row ? measure.value(row) : measure.adds ? 0 : null;
    }),
  });
  const shown = order.slice(0, order.length === most + 1 ? most + 1 : most).map(one);
  const rest = order.slice(shown.length).map(one);
  if (rest.length === 0 || !measure.adds) return shown;
  return [...shown, {
    label: `${rest.length} others`,
    stacked,
    values: buckets.map((_, index) =>
      rest.reduce((sum, { values }) => sum + (values[index] ?? 0), 0)
    ),
  }];
}
