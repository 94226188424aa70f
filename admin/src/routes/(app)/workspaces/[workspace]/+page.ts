import { query } from "#lib/api/query.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";
import type { PageLoad } from "./$types";

export const load: PageLoad = ({ params }) => ({
  workspace: query(async () => {
    const [workspace, environments] = await Promise.all([
      vmx.workspaces.get(params.workspace),
      vmx.environments.list(params.workspace).toArray(),
    ]);
    return { ...workspace, environments };
  }),
  members: query(() => vmx.workspaces.members(params.workspace).toArray()),
});
