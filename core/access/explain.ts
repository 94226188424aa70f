import type { PolicyView, Snapshot, UserView } from "../store/snapshot.ts";
import { decideAccess, grantsSomethingIn, mayAdminister } from "./authorize.ts";
import { memberActions, ownerActions } from "./default-roles.ts";
import { type CompiledPolicy, compilePolicy, decide } from "./policy.ts";
import type { Resource } from "./resource.ts";

/** One statement that had a say in a decision. */
export interface ExplainedStatement {
  /** Name of the role; `policy` for one that is not stored; `owner` or `member` for what a membership grants. */
  readonly source: string;
  /** Place of the statement in its policy. */
  readonly index: number;
  readonly matched: boolean;
  readonly effect: "allow" | "deny";
}

/** A decision with all that was looked at. */
export interface Explanation {
  readonly allowed: boolean;
  readonly statements: readonly ExplainedStatement[];
}

/** What a policy says by itself, without any membership. */
export function explainPolicy(
  policy: PolicyView,
  action: string,
  resource: Resource,
): Explanation {
  const compiled = compilePolicy(policy);
  return {
    allowed: decide(compiled, action, resource) === "allow",
    statements: look("policy", compiled, action, resource),
  };
}

/** What a user may do, and which statements of their roles and memberships decide it. */
export function explainUser(
  snapshot: Snapshot,
  user: UserView,
  action: string,
  resource: Resource,
): Explanation {
  const { allowed } = decideAccess(snapshot, { user, via: "session" }, action, resource);
  const byRoles = user.roleIds.flatMap((roleId) => {
    const role = snapshot.roles.get(roleId);
    return role ? look(role.name, compilePolicy(role.policy), action, resource) : [];
  });
  const statements = [...byRoles, ...byMembership(snapshot, user, action, resource)];
  return { allowed: allowed && user.state !== "INACTIVE", statements };
}

function look(
  source: string,
  { statements }: CompiledPolicy,
  action: string,
  resource: Resource,
): ExplainedStatement[] {
  return statements.map((statement, index) => ({
    source,
    index,
    matched: statement.matchesAction(action) && statement.matchesResource(resource),
    effect: statement.effect,
  }));
}

function byMembership(
  snapshot: Snapshot,
  user: UserView,
  action: string,
  resource: Resource,
): ExplainedStatement[] {
  const { workspaceId } = resource;
  const workspace = workspaceId === undefined ? undefined : snapshot.workspaces.get(workspaceId);
  const membership = workspace?.members.get(user.userId);
  if (!workspace || membership === undefined) return [];
  const named = { name: workspace.name, id: workspace.workspaceId };
  if (membership === "OWNER") {
    return [{ source: "owner", index: 0, matched: true, effect: "allow" }];
  }
  const policyHolds = !grantsSomethingIn(snapshot, user.roleIds, named);
  const isReserved = ownerActions.has(action) &&
    !mayAdminister(snapshot, { user, via: "session" }, resource);
  return [
    { source: "member", index: 0, matched: isReserved, effect: "deny" },
    {
      source: "member",
      index: 1,
      matched: policyHolds && memberActions.has(action),
      effect: "allow",
    },
  ];
}
