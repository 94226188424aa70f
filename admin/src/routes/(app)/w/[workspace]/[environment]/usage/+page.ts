import type { UsageQuery } from "@vmx/sdk";
import { auditQuery } from "#lib/audit/audit-query.ts";
import { readFilters } from "#lib/audit/filter.ts";
import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import { readRange } from "#lib/range/range.ts";
import { preferences } from "#lib/shell/preferences.svelte.ts";
import type { PageLoad } from "./$types";

/** Filters of the audit that usage knows as well. */
const known: Readonly<Record<string, string>> = {
  statusCode: "statusCode",
  resourceId: "resourceId",
  connectionId: "connectionId",
  provider: "provider",
  model: "model",
  apiKeyId: "apiKeyId",
  label: "apiKeyLabel",
  userId: "userId",
  correlationId: "correlationId",
  failureReason: "failureReason",
};

export const load: PageLoad = async ({ parent, url }) => {
  const { scope } = await parent();
  const of = (name: string) => url.searchParams.get(name);
  const now = new Date();
  const range = readRange(
    { range: of("range"), from: of("from"), to: of("to") },
    { now, utc: preferences.utc, otherwise: "24h" },
  );
  const filters = readFilters(url.searchParams);
  const fields: NonNullable<UsageQuery["filter"]["fields"]> = {};
  for (const [name, value] of Object.entries(await auditQuery(scope, filters))) {
    const field = name.startsWith("metadata.") ? name : known[name];
    if (field && typeof value === "string") fields[field] = { operator: "eq", value };
  }
  const filter = {
    dateRange: { start: range.from.toISOString(), end: (range.to ?? now).toISOString() },
    fields,
  };
  return {
    range,
    filters,
    filter,
    /** Lists are kept in one currency; the newest tells which. */
    currency: query(async () => (await vmx.priceLists.list()).data[0]?.currency ?? "USD"),
    metadataKeys: query(() => scope.api.audit.metadataKeys().toArray()),
  };
};
