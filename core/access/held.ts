import type { PolicyView, Snapshot } from "../store/snapshot.ts";
import { grantsSomethingIn, mayAdminister, policiesOf } from "./authorize.ts";
import { memberActions, memberOwnActions } from "./default-roles.ts";
import { escalation, missingPairs, type Pair } from "./escalation.ts";
import { type CompiledPolicy, compilePolicy } from "./policy.ts";
import type { Principal } from "./principal.ts";

/** All that a user holds by roles and memberships. */
export function heldByUser(
  snapshot: Snapshot,
  userId: string,
  roleIds: readonly string[],
): readonly CompiledPolicy[] {
  const memberships = [...snapshot.workspaces.values()].flatMap((workspace) => {
    const role = workspace.members.get(userId);
    const { workspaceId: id, name } = workspace;
    if (role === "OWNER") return compilePolicy(withinWorkspace(id, ["*"]));
    if (role !== "MEMBER" || grantsSomethingIn(snapshot, roleIds, { id, name })) return [];
    return compilePolicy(withinWorkspace(id, [...memberActions, ...memberOwnActions]));
  });
  return [...policiesOf(snapshot, roleIds), ...memberships];
}

/**
 * Nobody grants what they do not hold. A token's holder must hold it twice: as its user, and by the token's policy.
 *
 * Throws `PRIVILEGE_ESCALATION` with the missing pairs.
 */
export function refuseGrant(
  snapshot: Snapshot,
  principal: Principal,
  granted: readonly CompiledPolicy[],
): void {
  const { user, token } = principal;
  const layers = [
    heldByUser(snapshot, user.userId, user.roleIds),
    ...(token?.policy ? [[compilePolicy(token.policy)]] : []),
  ];
  for (const held of layers) {
    const missing = missingPairs(held, granted);
    if (missing.length > 0) throw escalation(missing);
  }
}

/** As `refuseGrant`, for single pairs. */
export function refuseGrantOfPairs(
  snapshot: Snapshot,
  principal: Principal,
  pairs: readonly Pair[],
): void {
  if (pairs.length === 0) return;
  const statements = pairs.map(({ action, resource }) => ({
    effect: "allow" as const,
    actions: [action],
    resources: [resource],
  }));
  refuseGrant(snapshot, principal, [compilePolicy({ statements })]);
}

/**
 * Acting on another user's account (activating, re-mailing, setting the password) needs all that this user holds,
 * memberships included: whoever gets into the account is a member too.
 *
 * Throws `PRIVILEGE_ESCALATION`.
 */
export function refuseTakeover(snapshot: Snapshot, principal: Principal, userId: string): void {
  if (principal.user.userId === userId) return;
  const target = snapshot.users.get(userId);
  if (!target) return;
  refuseGrant(snapshot, principal, heldByUser(snapshot, userId, target.roleIds));
  if (mayAdminister(snapshot, principal)) return;
  for (const { members } of snapshot.workspaces.values()) {
    const theirs = members.get(userId);
    const own = members.get(principal.user.userId);
    if (theirs === undefined || own === "OWNER" || own === theirs) continue;
    // Which workspace it is must not be told to somebody who may not see it.
    throw escalation([{ action: "workspace:administer", resource: "workspace" }]);
  }
}

function withinWorkspace(workspaceId: string, actions: readonly string[]): PolicyView {
  const resource = `workspace:${workspaceId}`;
  return { statements: [{ effect: "allow", actions, resources: [resource, `${resource}:*`] }] };
}
