import { NotFoundError, type PoolDefinition } from "@vmx/sdk";
import { query } from "#lib/api/query.svelte.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  const since = new Date(Date.now() - 86_400_000).toISOString();
  return {
    /** Null when there is none yet. */
    definition: query(async (): Promise<PoolDefinition | null> => {
      // What is known to be missing is not asked for: the browser would call the answer an error.
      const pools = await scope.api.poolDefinition.allocation({ since: new Date().toISOString() })
        .then((answer) => answer.pools, () => undefined);
      if (pools === 0) return null;
      return await scope.api.poolDefinition.get().catch((error: unknown) => {
        if (error instanceof NotFoundError && error.code === "POOL_DEFINITION_NOT_FOUND") {
          return null;
        }
        throw error;
      });
    }),
    resources: query(() => scope.api.aiResources.list().toArray()),
    connections: query(() => scope.api.aiConnections.list().toArray()),
    allocation: query(() => scope.api.poolDefinition.allocation({ since })),
  };
};
