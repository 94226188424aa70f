import { query } from "#lib/api/query.svelte.ts";
import { readLastDay } from "#lib/usage/last-day.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  return {
    resources: query(() => scope.api.aiResources.list().toArray()),
    connections: query(() => scope.api.aiConnections.list().toArray()),
    lastDay: query(() => readLastDay(scope, "resourceId")),
  };
};
