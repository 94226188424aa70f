import { auditQuery } from "#lib/audit/audit-query.ts";
import { readFilters } from "#lib/audit/filter.ts";
import { query } from "#lib/api/query.svelte.ts";
import { preferences } from "#lib/shell/preferences.svelte.ts";
import { readRange } from "#lib/range/range.ts";
import type { PageLoad } from "./$types";

const sizes = [25, 50, 100, 250, 500];

export const load: PageLoad = async ({ parent, url }) => {
  const { scope } = await parent();
  const of = (name: string) => url.searchParams.get(name);
  const range = readRange(
    { range: of("range"), from: of("from"), to: of("to") },
    { now: new Date(), utc: preferences.utc, otherwise: "24h" },
  );
  const filters = readFilters(url.searchParams);
  const limit = sizes.find((size) => String(size) === of("size")) ?? 50;
  const chosen = auditQuery(scope, filters);
  const from = range.from.toISOString();
  const to = range.to?.toISOString();
  return {
    range,
    filters,
    limit,
    sizes,
    /** What the API is asked for, ids in place of names. */
    chosen,
    page: query(async () =>
      await scope.api.audit.list({ ...await chosen, from, ...(to ? { to } : {}), limit })
    ),
  };
};
