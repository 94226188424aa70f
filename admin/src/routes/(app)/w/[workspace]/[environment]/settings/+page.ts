import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = async ({ parent }) => {
  const { scope } = await parent();
  const { workspaceId } = scope.workspace;
  return {
    environment: query(() => vmx.environments.get(workspaceId, scope.environment.environmentId)),
  };
};
