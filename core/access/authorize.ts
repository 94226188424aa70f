import { GatewayError } from "../contract/errors.ts";
import type { PolicyView, RoleView, Snapshot } from "../store/snapshot.ts";
import { workspaceActions } from "./actions.ts";
import { memberActions, memberOwnActions, ownerActions } from "./default-roles.ts";
import { overlaps } from "./pattern.ts";
import { type CompiledPolicy, compilePolicy, decide } from "./policy.ts";
import type { Principal } from "./principal.ts";
import { encodeName, type Resource, resourceOf } from "./resource.ts";

/** Whether something is allowed, and by what. */
export interface Decision {
  readonly allowed: boolean;
  /** Role name, `owner`, `member`, `token`, or `default` when nothing matched. */
  readonly decidedBy: string;
}

/**
 * Lets the call pass or refuses it.
 *
 * Throws `NOT_AUTHORIZED` with the missing action and resource, or `WORKSPACE_OWNER_REQUIRED`. Whether the
 * workspace may be seen at all is `maySeeWorkspace`'s business and comes first.
 */
export function authorize(
  snapshot: Snapshot,
  principal: Principal,
  action: string,
  resource: Resource,
): void {
  const decision = decideAccess(snapshot, principal, action, resource);
  if (decision.allowed) return;
  if (decision.decidedBy === "member" && ownerActions.has(action)) {
    throw new GatewayError(
      "WORKSPACE_OWNER_REQUIRED",
      `Cannot ${action} on ${resource.text}: only an owner of the workspace may`,
    );
  }
  throw new GatewayError(
    "NOT_AUTHORIZED",
    `Cannot ${action} on ${resource.text}: no role of yours allows it`,
    { details: { action, resource: resource.text } },
  );
}

/** Whether the principal may do the action, without throwing. */
export function decideAccess(
  snapshot: Snapshot,
  principal: Principal,
  action: string,
  resource: Resource,
): Decision {
  const decision = decideForUser(snapshot, principal, action, resource);
  const policy = principal.token?.policy;
  if (!decision.allowed || !policy) return decision;
  const allowed = decide(compiled(policy), action, resource) === "allow";
  return allowed ? decision : { allowed, decidedBy: "token" };
}

/** Whether the workspace exists for the principal: members, and holders of `workspace:administer`. */
export function maySeeWorkspace(
  snapshot: Snapshot,
  principal: Principal,
  workspaceId: string,
): boolean {
  const workspace = snapshot.workspaces.get(workspaceId);
  if (!workspace) return false;
  return workspace.members.has(principal.user.userId) ||
    mayAdminister(snapshot, principal, resourceOf(["workspace", named(workspace)]));
}

/** Whether the principal holds `workspace:administer` on the resource. */
export function mayAdminister(
  snapshot: Snapshot,
  principal: Principal,
  resource: Resource = resourceOf(["workspace"]),
): boolean {
  const { user, token } = principal;
  return byRoles(snapshot, user.roleIds, "workspace:administer", resource).verdict === "allow" &&
    (!token?.policy ||
      decide(compiled(token.policy), "workspace:administer", resource) === "allow");
}

/** The compiled policies of a user's roles. */
export function policiesOf(
  snapshot: Snapshot,
  roleIds: readonly string[],
): readonly CompiledPolicy[] {
  return rolesOf(snapshot, roleIds).map(({ policy }) => compiled(policy));
}

function decideForUser(
  snapshot: Snapshot,
  { user }: Principal,
  action: string,
  resource: Resource,
): Decision {
  const roles = byRoles(snapshot, user.roleIds, action, resource);
  if (roles.verdict === "deny") return { allowed: false, decidedBy: roles.role };
  const workspace = resource.workspaceId === undefined
    ? undefined
    : snapshot.workspaces.get(resource.workspaceId);
  const membership = workspace?.members.get(user.userId);
  if (membership === "OWNER") return { allowed: true, decidedBy: "owner" };
  if (membership === "MEMBER" && ownerActions.has(action)) {
    const administers = byRoles(snapshot, user.roleIds, "workspace:administer", resource);
    if (administers.verdict !== "allow") return { allowed: false, decidedBy: "member" };
  }
  if (roles.verdict === "allow") return { allowed: true, decidedBy: roles.role };
  if (workspace && membership === "MEMBER") {
    if (grantsSomethingIn(snapshot, user.roleIds, named(workspace))) return refused;
    const own = memberOwnActions.has(action) && resource.createdBy === user.userId;
    return own || memberActions.has(action) ? { allowed: true, decidedBy: "member" } : refused;
  }
  // The list shows a member their own workspaces; it needs no role.
  if (action === "workspace:list" && resource.text === "workspace") {
    const isMember = [...snapshot.workspaces.values()].some(({ members }) =>
      members.has(user.userId)
    );
    if (isMember) return { allowed: true, decidedBy: "member" };
  }
  return refused;
}

const refused: Decision = { allowed: false, decidedBy: "default" };

function byRoles(
  snapshot: Snapshot,
  roleIds: readonly string[],
  action: string,
  resource: Resource,
): { verdict: "allow" | "deny" | "none"; role: string } {
  let answer: { verdict: "allow" | "none"; role: string } = { verdict: "none", role: "default" };
  for (const role of rolesOf(snapshot, roleIds)) {
    const verdict = decide(compiled(role.policy), action, resource);
    if (verdict === "deny") return { verdict, role: role.name };
    if (verdict === "allow") answer = { verdict, role: role.name };
  }
  return answer;
}

function rolesOf(snapshot: Snapshot, roleIds: readonly string[]): RoleView[] {
  return roleIds.flatMap((roleId) => snapshot.roles.get(roleId) ?? []);
}

/** Whether some ALLOW of the roles can match in the workspace. */
export function grantsSomethingIn(
  snapshot: Snapshot,
  roleIds: readonly string[],
  workspace: { readonly name: string; readonly id: string },
): boolean {
  const spellings = [workspace.name, workspace.id].flatMap((spelling) => {
    const text = `workspace:${encodeName(spelling)}`.toLowerCase();
    return [text, `${text}:*`];
  });
  return policiesOf(snapshot, roleIds).some(({ statements }) =>
    statements.some((statement) =>
      statement.effect === "allow" &&
      workspaceActions.some(statement.matchesAction) &&
      statement.resources.some((pattern) =>
        spellings.some((spelling) => overlaps(pattern, spelling))
      )
    )
  );
}

function named(workspace: { readonly workspaceId: string; readonly name: string }) {
  return { name: workspace.name, id: workspace.workspaceId };
}

// Policies are immutable parts of a snapshot, so one compilation serves as long as the object lives.
const cache = new WeakMap<PolicyView, CompiledPolicy>();

function compiled(policy: PolicyView): CompiledPolicy {
  let entry = cache.get(policy);
  if (!entry) cache.set(policy, entry = compilePolicy(policy));
  return entry;
}
