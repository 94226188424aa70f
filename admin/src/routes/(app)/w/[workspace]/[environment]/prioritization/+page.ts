import { query } from "#lib/api/query.svelte.ts";
import { readPools } from "#lib/parts/read-pools.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  const since = new Date(Date.now() - 86_400_000).toISOString();
  return {
    /** Null when there is none yet. */
    definition: query(() => readPools(scope)),
    resources: query(() => scope.api.aiResources.list().toArray()),
    connections: query(() => scope.api.aiConnections.list().toArray()),
    allocation: query(() => scope.api.poolDefinition.allocation({ since })),
  };
};
