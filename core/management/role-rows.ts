import { compilePolicy } from "../access/policy.ts";
import { liftedDenies } from "../access/escalation.ts";
import { refuseGrant, refuseGrantOfPairs } from "../access/held.ts";
import { GatewayError } from "../contract/errors.ts";
import { Role, RoleAssignment, User } from "../store/entities/index.ts";
import type { PolicyView } from "../store/snapshot.ts";
import { isUuid, sameName } from "./field.ts";
import { summaryOf, trackedMembers } from "./present.ts";
import type { Item, RouteContext } from "./route.ts";
import type { HandlerServices } from "./services.ts";

type Em = ReturnType<HandlerServices["database"]["em"]>;
type Granter = Pick<RouteContext, "snapshot" | "principal">;

/** Roles as answers show them. */
export async function presentRoles(em: Em, rows: readonly Role[], includesMembers = false) {
  const links = await em.find(RoleAssignment, {
    roleId: { $in: rows.map(({ roleId }) => roleId) },
  });
  const users = includesMembers
    ? await em.find(User, { userId: { $in: links.map(({ userId }) => userId) } })
    : [];
  return rows.map((row) => {
    const ids = new Set(
      links.filter(({ roleId }) => roleId === row.roleId).map(({ userId }) => userId),
    );
    return {
      roleId: row.roleId,
      name: row.name,
      description: row.description,
      policy: row.policy,
      builtIn: row.builtIn,
      membersCount: ids.size,
      ...(includesMembers
        ? { members: users.filter(({ userId }) => ids.has(userId)).map(summaryOf) }
        : {}),
      ...trackedMembers(row),
    };
  });
}

/** Giving a role to somebody, or giving it a policy, needs all it allows. Throws `PRIVILEGE_ESCALATION`. */
export function refuseGrantOfPolicy(context: Granter, policy: PolicyView): void {
  refuseGrant(context.snapshot, context.principal, [compilePolicy(policy)]);
}

/**
 * Taking away a policy, or replacing it by `after`, needs what its DENY statements held back.
 *
 * Throws `PRIVILEGE_ESCALATION`.
 */
export function refuseLift(context: Granter, before: PolicyView, after?: PolicyView): void {
  const lifted = liftedDenies([compilePolicy(before)], after ? [compilePolicy(after)] : []);
  refuseGrantOfPairs(context.snapshot, context.principal, lifted);
}

/** Throws `BUILT_IN_ROLE` for a role every installation has. */
export function refuseBuiltIn({ builtIn, name }: Role): void {
  if (!builtIn) return;
  throw new GatewayError(
    "BUILT_IN_ROLE",
    `Cannot change the role "${name}": it is built in; make another one from its policy`,
  );
}

/** Throws a conflict when the name is taken; the role `except` may keep its own. */
export async function refuseTakenName(em: Em, name: string, except?: string): Promise<void> {
  const rows = await em.find(Role, {}, { fields: ["roleId", "name"] });
  if (!rows.some((row) => row.roleId !== except && sameName(row.name, name))) return;
  throw new GatewayError(
    "ROLE_ALREADY_EXISTS",
    `Cannot name the role "${name}": another one has that name`,
  );
}

/** Finds the object of a path for authorisation. Throws `ROLE_NOT_FOUND`. */
export async function findItem(
  { params, services }: RouteContext,
): Promise<Item & { readonly row: Role }> {
  const row = await findRow(services.database.em(), params.roleId);
  return { name: row.name, id: row.roleId, row };
}

/** Reads a role by id. Throws `ROLE_NOT_FOUND`. */
export async function findRow(em: Em, roleId: string | undefined): Promise<Role> {
  const row = isUuid(roleId) ? await em.findOne(Role, { roleId }) : null;
  if (row) return row;
  throw new GatewayError("ROLE_NOT_FOUND", "The role in the path does not exist");
}

/** The members the activity trail compares. */
export function described({ name, description, policy }: Role): Record<string, unknown> {
  return { name, description, policy };
}

/** The line of the activity trail without its differences. */
export function activityOf(action: string, row: Role) {
  return { action, entity: { type: "role", id: row.roleId, name: row.name } };
}
