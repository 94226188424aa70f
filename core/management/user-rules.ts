import type { EntityManager } from "@mikro-orm/postgresql";
import { type CompiledPolicy, compilePolicy } from "../access/policy.ts";
import { policiesOf } from "../access/authorize.ts";
import { refuseEscalation } from "../access/escalation.ts";
import type { Principal } from "../access/principal.ts";
import { GatewayError } from "../contract/errors.ts";
import { Role, RoleAssignment, User, Workspace, WorkspaceMember } from "../store/entities/index.ts";
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
 * Somebody who may do everything must stay, and so must an owner of every workspace. Looks at the rows inside the
 * transaction: a snapshot could miss that somebody else has just gone.
 *
 * Throws `LAST_ADMIN` or `LAST_OWNER`.
 */
export async function refuseLastOne(
  em: EntityManager,
  userId: string,
  { leaves }: { readonly leaves: boolean },
): Promise<void> {
  const roles = new Map((await em.find(Role, {})).map((role) => [role.roleId, role]));
  const links = await em.find(RoleAssignment, {});
  const active = new Set(
    (await em.find(User, { state: { $ne: "INACTIVE" } })).map((user) => user.userId),
  );
  const isAdmin = (id: string) =>
    holdsEverything(
      links.filter((link) => link.userId === id)
        .flatMap(({ roleId }) => roles.get(roleId) ?? [])
        .map(({ policy }) => compilePolicy(policy)),
    );
  const others = new Set(links.map((link) => link.userId).filter((id) => id !== userId));
  if (isAdmin(userId) && ![...others].some((id) => active.has(id) && isAdmin(id))) {
    throw new GatewayError("LAST_ADMIN", "Cannot do without the last administrator");
  }
  if (!leaves) return;
  const owners = await em.find(WorkspaceMember, { role: "OWNER" });
  for (const { workspaceId } of owners.filter((owner) => owner.userId === userId)) {
    if (owners.some((owner) => owner.workspaceId === workspaceId && owner.userId !== userId)) {
      continue;
    }
    const workspace = await em.findOne(Workspace, { workspaceId });
    throw new GatewayError(
      "LAST_OWNER",
      `Cannot do without the last owner of workspace "${workspace?.name}"`,
    );
  }
}

function holdsEverything(policies: readonly CompiledPolicy[]): boolean {
  const statements = policies.flatMap((policy) => policy.statements);
  return statements.some(({ effect, actions, resources }) =>
    effect === "allow" && actions.includes("*") && resources.includes("*")
  ) && !statements.some(({ effect }) => effect === "deny");
}
