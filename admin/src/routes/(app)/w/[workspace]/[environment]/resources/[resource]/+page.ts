import { query } from "#lib/api/query.svelte.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ params, parent }) => {
  const { scope } = await parent();
  return {
    resource: query(() => scope.api.aiResources.get(params.resource, { includesUsers: true })),
    keys: query(() => scope.api.apiKeys.list().toArray()),
  };
};
