import type { Scope } from "#lib/api/scope.ts";
import { idOf, lastDayRange } from "#lib/usage/last-day.ts";
import type { UsageRow } from "#lib/usage/measures.ts";

/** How many of a resource's requests called a model of a connection, in percent. */
export type Shares = (connectionId: string, model: string) => number | undefined;

/** Reads where the requests of the last 24 hours went. Who may not read usage gets no share. */
export async function readShares(scope: Scope, resourceId: string): Promise<Shares> {
  const ask = (dimensions: string[]) =>
    scope.api.usage.query({
      filter: {
        dateRange: lastDayRange(),
        fields: { resourceId: { operator: "eq", value: resourceId } },
      },
      agg: { legCount: "sum", requestCount: "sum" },
      dimensions,
    }).then(({ data }) => data, () => []);
  const [all, edges] = await Promise.all([ask([]), ask(["connectionId", "model"])]);
  return sharesOf(Number(all[0]?.["requestCount"] ?? 0), edges);
}

/** Shares from the legs of each connection and model. */
export function sharesOf(requests: number, edges: readonly UsageRow[]): Shares {
  const key = (connectionId: unknown, model: unknown) => `${connectionId}/${model}`;
  const legs = new Map(
    edges.map((
      row,
    ) => [key(idOf(row["connectionId"]), row["model"]), Number(row["legCount"] ?? 0)]),
  );
  return (connectionId, model) =>
    requests === 0 ? undefined : (100 * (legs.get(key(connectionId, model)) ?? 0)) / requests;
}
