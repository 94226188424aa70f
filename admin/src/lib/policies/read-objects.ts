import { segment } from "#lib/api/permissions.svelte.ts";
import { scopeOf } from "#lib/api/scope.ts";
import { session } from "#lib/api/session.svelte.ts";
import { vmx } from "#lib/api/vmx.ts";

/** The objects a policy can be held against: as many as the viewer sees and as can be read without a wait. */
export interface PolicyObjects {
  /** Their resource strings. */
  readonly resources: readonly string[];
  /** There are more than were read. */
  readonly isPart: boolean;
}

const mostEnvironments = 10;
const most = 1_000;

/** Reads workspaces, environments, what is in them, people, roles and plugins. What may not be listed is left out. */
export async function readPolicyObjects(): Promise<PolicyObjects> {
  const workspaces = await session.loadWorkspaces();
  const scopes = workspaces.flatMap((workspace) =>
    (workspace.environments ?? []).map((environment) => scopeOf(workspace, environment))
  );
  const none = () => [];
  const inside = await Promise.all(
    scopes.slice(0, mostEnvironments).map(async (scope) => {
      const { api, resource } = scope;
      const [connections, resources, keys] = await Promise.all([
        api.aiConnections.list().toArray({ limit: most }).catch(none),
        api.aiResources.list().toArray({ limit: most }).catch(none),
        api.apiKeys.list({ limit: 500 }).toArray({ limit: most }).catch(none),
      ]);
      return [
        ...connections.map(({ name }) => resource("ai-connection", name)),
        ...resources.map(({ name }) => resource("ai-resource", name)),
        ...keys.map(({ name }) => resource("api-key", name)),
      ];
    }),
  );
  const [users, roles, plugins] = await Promise.all([
    vmx.users.list({ limit: 500 }).toArray({ limit: most }).catch(none),
    vmx.roles.list().toArray().catch(none),
    vmx.plugins.list().toArray().catch(none),
  ]);
  return {
    resources: [
      ...workspaces.map(({ name }) => `workspace:${segment(name)}`),
      ...scopes.map(({ workspace, environment }) =>
        `workspace:${segment(workspace.name)}:environment:${segment(environment.name)}`
      ),
      ...inside.flat(),
      ...users.map(({ email }) => `user:${segment(email)}`),
      ...roles.map(({ name }) => `role:${segment(name)}`),
      ...plugins.map(({ id }) => `plugin:${segment(id)}`),
    ],
    isPart: scopes.length > mostEnvironments,
  };
}
