import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  return {
    providers: query(() => vmx.aiProviders.list().toArray()),
    keys: query(() => scope.api.apiKeys.list().toArray()),
  };
};
