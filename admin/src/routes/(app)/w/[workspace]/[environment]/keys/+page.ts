import { query } from "#lib/api/query.svelte.ts";
import { readLastDay } from "#lib/usage/last-day.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  return {
    keys: query(() => scope.api.apiKeys.list().toArray({ limit: 2_000 })),
    resources: query(() => scope.api.aiResources.list().toArray()),
    lastDay: query(() => readLastDay(scope, "apiKeyId")),
  };
};
