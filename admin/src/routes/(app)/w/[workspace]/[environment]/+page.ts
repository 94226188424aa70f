import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";
import { readFigures } from "./read-figures.ts";
import { readSignals } from "./read-signals.ts";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  return {
    connections: query(() => scope.api.aiConnections.list().toArray()),
    resources: query(() => scope.api.aiResources.list().toArray()),
    keys: query(() => scope.api.apiKeys.list({ limit: 500 }).toArray({ limit: 500 })),
    providers: query(() => vmx.aiProviders.list().toArray()),
    signals: query(() => readSignals(scope)),
    figures: query(() => readFigures(scope)),
    requests: query(async () => {
      const from = new Date(Date.now() - 7 * 86_400_000).toISOString();
      return (await scope.api.audit.list({ from, limit: 10 })).data;
    }),
    activity: query(() => scope.api.activity.list({ limit: 8 }).toArray({ limit: 8 })),
  };
};
