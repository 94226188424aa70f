import { type AuditFilter, type AuditQuery, queryOf } from "./filter.ts";
import type { Scope } from "#lib/api/scope.ts";

/** Filters as the API takes them: names of objects become ids, which takes a call for each kind that is named. */
export async function auditQuery(
  { api }: Scope,
  filters: readonly AuditFilter[],
): Promise<AuditQuery> {
  const ids = new Map<string, string | undefined>();
  await Promise.all(filters.map(async ({ field, value }) => {
    if (!field.of) return;
    // Without the right to list them the value goes as it is.
    ids.set(`${field.of}/${value}`, await idOf[field.of](api, value).catch(() => undefined));
  }));
  return queryOf(filters, (of, name) => ids.get(`${of}/${name}`));
}

type Api = Scope["api"];

const idOf = {
  resources: async (api: Api, name: string) =>
    (await api.aiResources.list({ name })).data[0]?.resourceId,
  connections: async (api: Api, name: string) =>
    (await api.aiConnections.list({ name })).data[0]?.connectionId,
  keys: async (api: Api, name: string) => (await api.apiKeys.list({ name })).data[0]?.apiKeyId,
};
