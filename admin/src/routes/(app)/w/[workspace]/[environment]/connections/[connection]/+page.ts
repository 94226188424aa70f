import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ params, parent }) => {
  const { scope } = await parent();
  const { aiConnections } = scope.api;
  return {
    connection: query(() => aiConnections.get(params.connection, { includesUsers: true })),
    providers: query(() => vmx.aiProviders.list().toArray()),
    references: query(() => aiConnections.references(params.connection).toArray()),
  };
};
