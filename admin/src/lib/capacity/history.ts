import type { LiveMeter, UsageQuery } from "@vmx/sdk";
import type { Scope } from "#lib/api/scope.ts";
import { bucketTime } from "#lib/usage/buckets.ts";
import type { UsageRow } from "#lib/usage/measures.ts";

/** What was used in each of the last minutes. */
export interface MinuteHistory {
  /** Starts of the minutes, in milliseconds since 1970, rising. */
  readonly times: readonly number[];
  /** Legs that reached a provider and were served. */
  readonly served: readonly number[];
  /** Legs that failed for another reason than a limit. */
  readonly failed: readonly number[];
  /** Legs that a limit or a pool refused. */
  readonly refused: readonly number[];
  readonly tokens: readonly number[];
}

const minuteMs = 60_000;
const refusals = new Set(["Denied by capacity", "Denied by prioritization"]);
/** The dimension of usage that holds a subject's id; batches have none. */
const dimensions = {
  connection: "connectionId",
  resource: "resourceId",
  "api-key": "apiKeyId",
  batch: undefined,
} as const;

/** Whether something is known of the minutes before this one. */
export function hasHistory(level: LiveMeter["level"]): boolean {
  return dimensions[level] !== undefined;
}

/** Starts of the minutes that end with the present one, oldest first. */
export function lastMinutes(count: number, now: number): number[] {
  const present = Math.floor(now / minuteMs) * minuteMs;
  return Array.from({ length: count }, (_, index) => present - (count - 1 - index) * minuteMs);
}

/** Reads what a subject used in each of the last 60 minutes, from the measurements of usage. */
export async function readHistory(
  scope: Scope,
  level: LiveMeter["level"],
  subjectId: string,
  now: number,
): Promise<MinuteHistory> {
  const dimension = dimensions[level];
  const times = lastMinutes(60, now);
  if (!dimension) return historyOf([], times);
  const query: UsageQuery = {
    filter: {
      dateRange: {
        start: new Date(times[0]!).toISOString(),
        end: new Date(now + minuteMs).toISOString(),
      },
      fields: { [dimension]: { operator: "eq", value: subjectId } },
    },
    agg: { legCount: "sum", totalTokens: "sum" },
    dimensions: ["failureReason"],
    granularity: "minute",
    limit: 10_000,
  };
  return historyOf((await scope.api.usage.query(query)).data, times);
}

/** Puts rows of the usage query, one for each minute and failure reason, into their minutes. */
export function historyOf(rows: readonly UsageRow[], times: readonly number[]): MinuteHistory {
  const places = new Map(times.map((time, index) => [time, index]));
  const nothing = () => times.map(() => 0);
  const history = { served: nothing(), failed: nothing(), refused: nothing(), tokens: nothing() };
  for (const row of rows) {
    const place = places.get(bucketTime(String(row["time"]), true));
    if (place === undefined) continue;
    const reason = row["failureReason"];
    const kind = reason === null || reason === undefined
      ? "served"
      : refusals.has(String(reason))
      ? "refused"
      : "failed";
    history[kind][place]! += numberOf(row["legCount"]);
    history.tokens[place]! += numberOf(row["totalTokens"]);
  }
  return { times, ...history };
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
