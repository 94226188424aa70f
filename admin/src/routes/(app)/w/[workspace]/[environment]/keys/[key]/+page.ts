import { query } from "#lib/api/query.svelte.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ params, parent }) => {
  const { scope } = await parent();
  return {
    key: query(() => scope.api.apiKeys.get(params.key, { includesUsers: true })),
    resources: query(() => scope.api.aiResources.list().toArray()),
  };
};
