import { redirect } from "@sveltejs/kit";
import { scopeOf } from "#lib/api/scope.ts";
import { session } from "#lib/api/session.svelte.ts";
import { read } from "#lib/shell/preferences.svelte.ts";
import type { PageLoad } from "./$types";

/** The front door leads to the environment of the last visit, else to the first there is. */
export const load: PageLoad = async ({ parent }) => {
  await parent();
  const all = session.workspaces.flatMap((workspace) =>
    (workspace.environments ?? []).map((environment) => ({ workspace, environment }))
  );
  const last = read("environment");
  const found = all.find(({ environment }) => environment.environmentId === last) ?? all[0];
  redirect(307, found ? scopeOf(found.workspace, found.environment).link() : "/workspaces");
};
