import type { UsageQuery } from "@vmx/sdk";
import type { Scope } from "#lib/api/scope.ts";
import { bucketTime } from "./buckets.ts";
import { idOf, type ListedDimension } from "./last-day.ts";
import type { UsageRow } from "./measures.ts";

const hourMs = 3_600_000;
/** Milliseconds use is looked back for. */
export const lookBackMs = 90 * 24 * hourMs;
/** The nearer the use, the finer it is told. */
const looks: readonly (readonly [UsageQuery["granularity"], ms: number])[] = [
  ["minute", hourMs],
  ["hour", 24 * hourMs],
  ["day", lookBackMs],
];

/**
 * Reads when the objects of an environment were last used, by their ids: to the minute within the last hour, to the
 * hour within the last day, to the day within 90 days. Who may not read usage gets none.
 */
export async function readLastUse(
  scope: Scope,
  dimension: ListedDimension,
  now: number,
): Promise<ReadonlyMap<string, string>> {
  const answers = await Promise.all(looks.map(([granularity, ms]) =>
    scope.api.usage.query({
      filter: {
        dateRange: {
          start: new Date(now - ms).toISOString(),
          end: new Date(now).toISOString(),
        },
      },
      agg: { legCount: "sum" },
      dimensions: [dimension],
      granularity,
      orderBy: { time: "desc" },
      limit: 10_000,
    }).then(({ data }) => data, () => [])
  ));
  return lastUseOf(dimension, answers);
}

/** The latest bucket with use of each object; `answers` come with the finest buckets first. */
export function lastUseOf(
  dimension: ListedDimension,
  answers: readonly (readonly UsageRow[])[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const rows of answers) {
    const latest = new Map<string, number>();
    for (const row of rows) {
      const id = idOf(row[dimension]);
      if (id === undefined || !row["legCount"]) continue;
      const at = bucketTime(String(row["time"]), true);
      latest.set(id, Math.max(at, latest.get(id) ?? 0));
    }
    for (const [id, at] of latest) if (!found.has(id)) found.set(id, new Date(at).toISOString());
  }
  return found;
}
