import type { UsageQuery } from "@vmx/sdk";
import type { Scope } from "#lib/api/scope.ts";
import { failedRequests, type UsageRow } from "./measures.ts";

/** What an object of a list served in the last 24 hours. */
export interface LastDay {
  readonly requests: number;
  /** Requests that got no answer; of a connection, its legs that failed. */
  readonly failed: number;
  /** Duration of the slowest 5 % at least; null where none was measured. */
  readonly p95Ms: number | null;
}

/** What objects of a list are known by in usage. */
export type ListedDimension = "resourceId" | "connectionId" | "apiKeyId";

/**
 * Reads what the objects of an environment served, by their ids. Who may not read usage gets none: a list is no less
 * a list without.
 */
export async function readLastDay(
  scope: Scope,
  dimension: ListedDimension,
): Promise<ReadonlyMap<string, LastDay>> {
  const ask = (agg: UsageQuery["agg"]) =>
    scope.api.usage.query({
      filter: { dateRange: lastDayRange() },
      agg,
      dimensions: [dimension],
      limit: 1_000,
    }).then(({ data }) => data, () => []);
  const [counts, times] = await Promise.all([
    ask({ requestCount: "sum", errorCount: "sum", successCount: "sum", legCount: "sum" }),
    ask({ requestDuration: "p95" }),
  ]);
  return lastDayOf(dimension, counts, times);
}

/** The last 24 hours, as usage is asked for them. */
export function lastDayRange(): UsageQuery["filter"]["dateRange"] {
  const now = Date.now();
  return { start: new Date(now - 86_400_000).toISOString(), end: new Date(now).toISOString() };
}

/** Puts answers of the usage query together by the id in them. */
export function lastDayOf(
  dimension: ListedDimension,
  counts: readonly UsageRow[],
  times: readonly UsageRow[],
): ReadonlyMap<string, LastDay> {
  const durations = new Map(times.map((row) => [idOf(row[dimension]), row["requestDuration"]]));
  return new Map(counts.flatMap((row): [string, LastDay][] => {
    const id = idOf(row[dimension]);
    if (id === undefined) return [];
    const p95 = durations.get(id);
    // A connection serves legs: a request that fell back from it counts for another one.
    const legs = dimension === "connectionId";
    return [[id, {
      requests: numberOf(row[legs ? "legCount" : "requestCount"]),
      failed: legs ? numberOf(row["errorCount"]) : failedRequests(row) ?? 0,
      p95Ms: typeof p95 === "number" ? p95 : null,
    }]];
  }));
}

/** The id in a dimension of an answer. */
export function idOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const id = (value as { value?: unknown } | null)?.value;
  return typeof id === "string" ? id : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
