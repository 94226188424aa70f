import { authorize, maySeeWorkspace } from "../access/authorize.ts";
import type { Principal } from "../access/principal.ts";
import { type Resource, resourceOf, type Segment } from "../access/resource.ts";
import { GatewayError } from "../contract/errors.ts";
import type { EnvironmentView, Snapshot, WorkspaceView } from "../store/snapshot.ts";
import type { Item, Route } from "./route.ts";

/** What the path names above the object itself. */
export interface Scope {
  readonly workspace: WorkspaceView | undefined;
  readonly environment: EnvironmentView | undefined;
}

/**
 * Finds workspace and environment of a path. What the caller may not see is answered like what does not exist.
 *
 * Throws `WORKSPACE_NOT_FOUND` or `ENVIRONMENT_NOT_FOUND`.
 */
export function findScope(
  snapshot: Snapshot,
  principal: Principal,
  params: Readonly<Record<string, string>>,
): Scope {
  const { workspaceId, environmentId } = params;
  if (workspaceId === undefined) return { workspace: undefined, environment: undefined };
  const workspace = snapshot.workspaces.get(workspaceId);
  if (!workspace || !maySeeWorkspace(snapshot, principal, workspaceId)) {
    throw new GatewayError("WORKSPACE_NOT_FOUND", "The workspace in the path does not exist");
  }
  if (environmentId === undefined) return { workspace, environment: undefined };
  const environment = snapshot.environments.get(environmentId);
  if (environment?.workspaceId !== workspaceId) {
    throw new GatewayError("ENVIRONMENT_NOT_FOUND", "The environment in the path does not exist");
  }
  return { workspace, environment };
}

/** Fills a route's resource template in. */
export function resourceFor(template: string, scope: Scope, item?: Item): Resource {
  const { workspace, environment } = scope;
  const segments = template.split(":").map((part): Segment => {
    if (part === "{w}") return { name: workspace!.name, id: workspace!.workspaceId };
    if (part === "{e}") return { name: environment!.name, id: environment!.environmentId };
    if (part === "{item}") return { name: item!.name, id: item!.id };
    return part;
  });
  return resourceOf(segments, { workspaceId: workspace?.workspaceId, createdBy: item?.createdBy });
}

/** Whether the principal may do nothing before the password is changed; the admin token is not bound to one. */
export function mustChangePassword({ user, via }: Principal): boolean {
  return user.state === "CHANGE_PASSWORD" && via !== "admin-token";
}

/** Lets a call of a route pass or refuses it. Throws as `authorize` does. */
export function authorizeRoute(
  route: Route,
  snapshot: Snapshot,
  principal: Principal,
  scope: Scope,
  item: Item | undefined,
): void {
  const { access } = route;
  if (mustChangePassword(principal)) {
    if (access !== "self-limited" && access !== "public") {
      throw new GatewayError(
        "PASSWORD_CHANGE_REQUIRED",
        "The password must be changed first: POST /api/v1/auth/password",
      );
    }
  }
  if (typeof access === "string") return;
  authorize(snapshot, principal, access.action, resourceFor(access.resource, scope, item));
}
