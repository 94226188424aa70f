import type { CompiledPolicy } from "../access/policy.ts";
import { compilePolicy } from "../access/policy.ts";
import { policiesOf } from "../access/authorize.ts";
import { refuseEscalation } from "../access/escalation.ts";
import type { Principal } from "../access/principal.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Snapshot } from "../store/snapshot.ts";

/**
 * Acting on another user's account (activating, re-mailing, setting the password) needs all that this user holds.
 *
 * Throws `PRIVILEGE_ESCALATION`.
 */
export function refuseTakeover(snapshot: Snapshot, principal: Principal, userId: string): void {
  if (principal.user.userId === userId) return;
  const target = snapshot.users.get(userId);
  if (!target) return;
  refuseEscalation(
    heldBy(snapshot, principal.user.userId, principal.user.roleIds, principal),
    heldBy(snapshot, userId, target.roleIds),
  );
}

/** All that a user holds, ownership of workspaces included; for a token no more than its own policy. */
export function heldBy(
  snapshot: Snapshot,
  userId: string,
  roleIds: readonly string[],
  principal?: Principal,
): readonly CompiledPolicy[] {
  if (principal?.token?.policy) return [compilePolicy(principal.token.policy)];
  const owned = [...snapshot.workspaces.values()]
    .filter(({ members }) => members.get(userId) === "OWNER")
    .map(({ workspaceId }) => workspaceId);
  return [
    ...policiesOf(snapshot, roleIds),
    ...owned.map((workspaceId) =>
      compilePolicy({
        statements: [{
          effect: "allow",
          actions: ["*"],
          resources: [`workspace:${workspaceId}`, `workspace:${workspaceId}:*`],
        }],
      })
    ),
  ];
}

/**
 * Somebody who may do everything must stay, and so must an owner of every workspace.
 *
 * Throws `LAST_ADMIN` or `LAST_OWNER`.
 */
export function refuseLastOne(
  snapshot: Snapshot,
  userId: string,
  { leaves }: { readonly leaves: boolean },
): void {
  const others = [...snapshot.users.values()].filter((user) =>
    user.userId !== userId && user.state !== "INACTIVE"
  );
  const target = snapshot.users.get(userId);
  const isAdmin = (roleIds: readonly string[]) => holdsEverything(policiesOf(snapshot, roleIds));
  if (target && isAdmin(target.roleIds) && !others.some(({ roleIds }) => isAdmin(roleIds))) {
    throw new GatewayError("LAST_ADMIN", "Cannot do without the last administrator");
  }
  if (!leaves) return;
  for (const { name, members } of snapshot.workspaces.values()) {
    const owners = [...members].filter(([, role]) => role === "OWNER").map(([id]) => id);
    if (owners.length === 1 && owners[0] === userId) {
      throw new GatewayError(
        "LAST_OWNER",
        `Cannot do without the last owner of workspace "${name}"`,
      );
    }
  }
}

function holdsEverything(policies: readonly CompiledPolicy[]): boolean {
  const statements = policies.flatMap((policy) => policy.statements);
  return statements.some(({ effect, actions, resources }) =>
    effect === "allow" && actions.includes("*") && resources.includes("*")
  ) && !statements.some(({ effect }) => effect === "deny");
}
