/** Workspace and environment of a path, by name or id. */
export interface EnvironmentPath {
  readonly workspaceId: string;
  readonly environmentId: string;
}
