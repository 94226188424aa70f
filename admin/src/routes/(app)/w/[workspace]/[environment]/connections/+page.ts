import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import { readLastDay } from "#lib/usage/last-day.ts";
import { readLastUse } from "#lib/usage/last-use.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  return {
    connections: query(() => scope.api.aiConnections.list().toArray()),
    providers: query(() => vmx.aiProviders.list().toArray()),
    lastDay: query(() => readLastDay(scope, "connectionId")),
    lastUse: query(() => readLastUse(scope, "connectionId", Date.now())),
    capacity: query(() => scope.api.capacity.get({ level: "connection" })),
  };
};
