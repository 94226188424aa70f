import { error } from "@sveltejs/kit";
import type { Environment, Workspace } from "@vmx/sdk";
import { type Scope, scopeOf } from "#lib/api/scope.ts";
import { session } from "#lib/api/session.svelte.ts";
import { write } from "#lib/shell/preferences.svelte.ts";
import type { LayoutLoad } from "./$types";

/** Finds the environment the address names, by name or id. */
export const load: LayoutLoad = async ({ params, parent }): Promise<{ scope: Scope }> => {
  await parent();
  const found = find(params) ?? (await session.loadWorkspaces(true), find(params));
  if (!found) {
    error(404, `No environment "${params.environment}" in a workspace "${params.workspace}"`);
  }
  write("environment", found.environment.environmentId);
  return { scope: scopeOf(found.workspace, found.environment) };
};

function find(
  params: { workspace: string; environment: string },
): { workspace: Workspace; environment: Environment } | undefined {
  for (const workspace of session.workspaces) {
    if (!same(params.workspace, workspace.name, workspace.workspaceId)) continue;
    const environment = workspace.environments?.find((each) =>
      same(params.environment, each.name, each.environmentId)
    );
    if (environment) return { workspace, environment };
  }
  return undefined;
}

function same(wanted: string, name: string, id: string): boolean {
  return wanted === id || wanted.toLowerCase() === name.toLowerCase();
}
