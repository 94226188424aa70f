import type { Environment, EnvironmentScope, Workspace } from "@vmx/sdk";
import { segment } from "./permissions.svelte.ts";
import { vmx } from "./vmx.ts";

/** The environment a screen is about: its calls, its links, its resource strings. */
export interface Scope {
  readonly workspace: Workspace;
  readonly environment: Environment;
  /** Everything in the environment. */
  readonly api: EnvironmentScope;
  /** A link below the environment: `link("resources", name)`; parts are encoded. */
  link(...parts: readonly string[]): string;
  /** A resource string below the environment, for permissions: `resource("ai-resource", name)`. */
  resource(module: string, name?: string): string;
  /** Path of the environment on the management API. */
  readonly apiPath: string;
  /** Base URL of the data plane that names the environment. */
  readonly completionPath: string;
}

/** Describes an environment. */
export function scopeOf(workspace: Workspace, environment: Environment): Scope {
  const { workspaceId } = workspace;
  const { environmentId } = environment;
  const base = ["", "w", workspace.name, environment.name].map(encodeURIComponent).join("/");
  const own = `workspace:${segment(workspace.name)}:environment:${segment(environment.name)}`;
  return {
    workspace,
    environment,
    api: vmx.environment(workspaceId, environmentId),
    link: (...parts) => [base, ...parts.map(encodeURIComponent)].join("/"),
    resource: (module, name) =>
      name === undefined ? `${own}:${module}` : `${own}:${module}:${segment(name)}`,
    apiPath: `/api/v1/workspaces/${workspaceId}/environments/${environmentId}`,
    completionPath: `/v1/completion/${workspaceId}/${environmentId}`,
  };
}
