import type { EntityManager } from "@mikro-orm/postgresql";
import { type CompiledPolicy, compilePolicy } from "../access/policy.ts";
import { GatewayError } from "../contract/errors.ts";
import { Role, RoleAssignment, User, Workspace, WorkspaceMember } from "../store/entities/index.ts";

/**
 * Does the work and makes sure that somebody who may do everything is left. Looks at the rows inside the
 * transaction: a snapshot could miss that somebody else has just gone. All that counts must change inside `work`.
 *
 * Throws `LAST_ADMIN`.
 */
export async function keepAdministrator<Result>(
  em: EntityManager,
  work: () => Promise<Result>,
): Promise<Result> {
  const hadOne = await hasAdministrator(em);
  const result = await work();
  await em.flush();
  if (hadOne && !await hasAdministrator(em)) {
    throw new GatewayError("LAST_ADMIN", "Cannot do without the last administrator");
  }
  return result;
}

/**
 * A workspace keeps an owner when the user leaves it, or leaves them all when none is named.
 *
 * Throws `LAST_OWNER`; the workspace is named to those who may see it.
 */
export async function refuseLastOwner(
  em: EntityManager,
  userId: string,
  { workspaceId, maySee }: {
    readonly workspaceId?: string;
    readonly maySee: (workspaceId: string) => boolean;
  },
): Promise<void> {
  const owned = await em.find(WorkspaceMember, {
    role: "OWNER",
    userId,
    ...(workspaceId === undefined ? {} : { workspaceId }),
  });
  for (const { workspaceId } of owned) {
    const others = await em.count(WorkspaceMember, {
      workspaceId,
      role: "OWNER",
      userId: { $ne: userId },
    });
    if (others > 0) continue;
    const workspace = maySee(workspaceId) ? await em.findOne(Workspace, { workspaceId }) : null;
    throw new GatewayError(
      "LAST_OWNER",
      `Cannot do without the last owner of ${
        workspace ? `workspace "${workspace.name}"` : "a workspace"
      }`,
    );
  }
}

/** Whether somebody who may sign in holds `*` on `*` and is under no DENY. */
async function hasAdministrator(em: EntityManager): Promise<boolean> {
  const policies = new Map(
    (await em.find(Role, {})).map(({ roleId, policy }) => [roleId, compilePolicy(policy)]),
  );
  const mighty = [...policies].filter(([, policy]) => allowsEverything(policy))
    .map(([roleId]) => roleId);
  const holders = await em.find(RoleAssignment, { roleId: { $in: mighty } });
  const userIds = [...new Set(holders.map(({ userId }) => userId))];
  const active = await em.find(User, { userId: { $in: userIds }, state: { $ne: "INACTIVE" } });
  const links = await em.find(RoleAssignment, {
    userId: { $in: active.map(({ userId }) => userId) },
  });
  return active.some(({ userId }) =>
    links.filter((link) => link.userId === userId)
      .every(({ roleId }) => !denies(policies.get(roleId)))
  );
}

function allowsEverything({ statements }: CompiledPolicy): boolean {
  return statements.some(({ effect, actions, resources }) =>
    effect === "allow" && actions.includes("*") && resources.includes("*")
  );
}

function denies(policy: CompiledPolicy | undefined): boolean {
  return policy?.statements.some(({ effect }) => effect === "deny") ?? false;
}
