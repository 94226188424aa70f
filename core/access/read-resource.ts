import type { EnvironmentView, Snapshot } from "../store/snapshot.ts";
import { encodeName, type Resource, resourceOf, type Segment } from "./resource.ts";

/**
 * Reads a resource string that somebody wrote down, such as
 * `workspace:acme:environment:production:ai-connection:main`. Objects the snapshot knows are found by name or id, so
 * that patterns meet both; what it does not know is taken as it stands.
 *
 * @param isVisible whether the asker may know of a workspace; one they may not know of is read as if it did not exist
 */
export function readResource(
  snapshot: Snapshot,
  text: string,
  isVisible: (workspaceId: string) => boolean,
): Resource {
  const parts = text.split(":");
  const [module, place, inner, environmentName, below, ...rest] = parts;
  if (module === "user" || module === "role") {
    return parts.length === 2 ? resourceOf([module, person(snapshot, module, place!)]) : bare(text);
  }
  if (module !== "workspace" || place === undefined) return bare(text);
  const workspace = [...snapshot.workspaces.values()].find(({ workspaceId, name }) =>
    isVisible(workspaceId) && isNamed({ name, id: workspaceId }, place)
  );
  if (!workspace) return bare(text);
  const { workspaceId } = workspace;
  const segments: Segment[] = [module, { name: workspace.name, id: workspaceId }];
  if (inner !== undefined) segments.push(inner);
  if (environmentName !== undefined) {
    const environment = inner !== "environment"
      ? undefined
      : [...snapshot.environments.values()].find((candidate) =>
        candidate.workspaceId === workspaceId &&
        isNamed({ name: candidate.name, id: candidate.environmentId }, environmentName)
      );
    segments.push(
      environment
        ? { name: environment.name, id: environment.environmentId }
        : written(environmentName),
    );
    if (below !== undefined) segments.push(below);
    if (rest.length === 1) segments.push(object(snapshot, environment, below!, rest[0]!));
    else segments.push(...rest.map(written));
  }
  return resourceOf(segments, { workspaceId });
}

/** The text alone; it lies in no workspace anybody knows. */
function bare(text: string): Resource {
  return { text, spellings: [text.toLowerCase()] };
}

function object(
  snapshot: Snapshot,
  environment: EnvironmentView | undefined,
  module: string,
  text: string,
): Segment {
  const known = !environment
    ? []
    : module === "ai-connection"
    ? [...environment.connections.values()].map(({ name, connectionId: id }) => ({ name, id }))
    : module === "ai-resource"
    ? [...environment.resources.values()].map(({ name, resourceId: id }) => ({ name, id }))
    : module === "api-key"
    ? [...snapshot.apiKeysByHash.values()]
      .filter(({ environmentId }) => environmentId === environment.environmentId)
      .map(({ name, apiKeyId: id }) => ({ name, id }))
    : [];
  return known.find((candidate) => isNamed(candidate, text)) ?? written(text);
}

function person(snapshot: Snapshot, module: "user" | "role", text: string): Segment {
  const known = module === "user"
    ? [...snapshot.users.values()].map(({ email: name, userId: id }) => ({ name, id }))
    : [...snapshot.roles.values()].map(({ name, roleId: id }) => ({ name, id }));
  return known.find((candidate) => isNamed(candidate, text)) ?? written(text);
}

function isNamed({ name, id }: { readonly name: string; readonly id: string }, text: string) {
  const lower = text.toLowerCase();
  return id === lower || encodeName(name).toLowerCase() === lower;
}

/** A segment nobody knows; it is encoded already, as everything in a resource string. */
function written(text: string): Segment {
  const isPlain = encodeName(text) === text;
  const name = isPlain ? text : text.replace(
    /%([0-9a-f]{2})/gi,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
  return { name, id: name };
}
