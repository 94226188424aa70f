import type { Plugin } from "@vmx/sdk";
import { scopeOf } from "#lib/api/scope.ts";
import { session } from "#lib/api/session.svelte.ts";

/** A connection that stands on a plugin. */
export interface PluginUse {
  readonly label: string;
  readonly href: string;
}

const mostEnvironments = 20;

/** Reads the connections of the viewer's environments that use a provider of a plugin; none when it brings no provider. */
export async function readUsesOf({ contributes }: Plugin): Promise<readonly PluginUse[]> {
  const providers = new Set(
    contributes.filter(({ point }) => point === "providers").map(({ id }) => id),
  );
  if (providers.size === 0) return [];
  const scopes = (await session.loadWorkspaces()).flatMap((workspace) =>
    (workspace.environments ?? []).map((environment) => scopeOf(workspace, environment))
  );
  const uses = await Promise.all(
    scopes.slice(0, mostEnvironments).map(async (scope) => {
      const connections = await scope.api.aiConnections.list().toArray().catch(() => []);
      return connections.filter(({ provider }) => providers.has(provider)).map(({ name }) => ({
        label: `${scope.workspace.name}/${scope.environment.name}: ${name}`,
        href: scope.link("connections", name),
      }));
    }),
  );
  return uses.flat();
}
