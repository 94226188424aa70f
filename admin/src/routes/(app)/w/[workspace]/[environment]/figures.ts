import type { UsageAnswer, UsageQuery } from "@vmx/sdk";
import { formatCompact, formatDuration, formatMoney, formatPercent } from "#lib/format/format.ts";
import { bucketTime } from "#lib/usage/buckets.ts";
import { failedRequests } from "#lib/usage/measures.ts";

type Row = Readonly<Record<string, unknown>>;

/** One figure of the overview: its value over a range, bucket by bucket, and in the range before. */
export interface Figure {
  readonly label: string;
  readonly text: string;
  /** One value per hour; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  /** The change against the range before in percent; undefined when there was nothing to compare with. */
  readonly changePercent?: number;
  /** Whether a rise is good news; undefined when it is neither. */
  readonly riseIsGood?: boolean;
}

/** What usage has to be asked for. */
export const figureAgg: UsageQuery["agg"] = {
  requestCount: "sum",
  errorCount: "sum",
  successCount: "sum",
  totalTokens: "sum",
  totalCost: "sum",
};

/** The percentiles; a query takes one function per measure. */
export const percentiles = ["p50", "p95"] as const;

/** Times that are looked at by percentile. */
export const timeAgg = (percentile: (typeof percentiles)[number]): UsageQuery["agg"] => ({
  requestDuration: percentile,
  timeToFirstToken: percentile,
});

/** The answers that figures are made of: in total with the range before, and hour by hour. */
export interface FigureAnswers {
  readonly total: UsageAnswer;
  readonly byHour: UsageAnswer;
  readonly times: Readonly<Record<(typeof percentiles)[number], UsageAnswer>>;
  readonly timesByHour: Readonly<Record<(typeof percentiles)[number], UsageAnswer>>;
}

const numberAt = (row: Row | undefined, name: string) => {
  const value = row?.[name];
  return typeof value === "number" ? value : null;
};
const errorRate = (row: Row | undefined) => {
  const failed = row ? failedRequests(row) : null;
  const all = numberAt(row, "requestCount");
  return failed === null || !all ? null : (100 * failed) / all;
};

/** How many requests the answers are about. */
export function requestsIn({ total }: FigureAnswers): number {
  return numberAt(total.data[0], "requestCount") ?? 0;
}

/**
 * The figures of the answers, missing ones left out: nobody may have measured a time, or set a price.
 *
 * @param hours starts of all hours of the range, in order
 * @param currency the cost is in
 */
export function figuresOf(
  answers: FigureAnswers,
  hours: readonly number[],
  currency: string,
): Figure[] {
  const figure = (
    label: string,
    { total, byHour }: { total: UsageAnswer; byHour: UsageAnswer },
    read: (row: Row | undefined) => number | null,
    format: (value: number) => string,
    rest: Pick<Figure, "riseIsGood"> & { readonly empty?: number } = {},
  ): Figure[] => {
    const value = read(total.data[0]);
    if (value === null) return [];
    const before = read(total.previous?.data[0]);
    const { empty, ...looks } = rest;
    const rows = new Map(byHour.data.map((row) => [bucketTime(String(row["time"]), true), row]));
    return [{
      label,
      text: format(value),
      values: hours.map((hour) => read(rows.get(hour)) ?? empty ?? null),
      ...(before ? { changePercent: (100 * (value - before)) / before } : {}),
      ...looks,
    }];
  };
  const time = (percentile: (typeof percentiles)[number]) => ({
    total: answers.times[percentile],
    byHour: answers.timesByHour[percentile],
  });
  const of = (name: string) => (row: Row | undefined) => numberAt(row, name);
  const money = (value: number) => formatMoney(value, currency);
  const bad = { riseIsGood: false };
  return [
    ...figure("Requests", answers, of("requestCount"), formatCompact, { empty: 0 }),
    ...figure("Error rate", answers, errorRate, formatPercent, bad),
    ...figure("Duration, p50", time("p50"), of("requestDuration"), formatDuration, bad),
    ...figure("Duration, p95", time("p95"), of("requestDuration"), formatDuration, bad),
    ...figure("First token, p50", time("p50"), of("timeToFirstToken"), formatDuration, bad),
    ...figure("Tokens", answers, of("totalTokens"), formatCompact, { empty: 0 }),
    ...figure("Cost", answers, of("totalCost"), money, { empty: 0 }),
  ];
}

const hourMs = 3_600_000;

/** The hours that end with the present one, oldest first. */
export function lastHours(count: number, now: number): number[] {
  const present = Math.floor(now / hourMs) * hourMs;
  return Array.from({ length: count }, (_, index) => present - (count - 1 - index) * hourMs);
}
