import { listOf, RoleAssignment as RoleAssignmentSchema, RoleUsers } from "@vmx/schemas";
import { type Fault, GatewayError } from "../contract/errors.ts";
import { RoleAssignment, User } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { timestamp } from "./present.ts";
import { activityOf, findItem, findRow, refuseGrantOfPolicy, refuseLift } from "./role-rows.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";
import { keepAdministrator } from "./user-rules.ts";

const one = "/api/v1/roles/{roleId}";
const tag = "Identity";
const item = { resource: "role:{item}", item: findItem };

/** Operations on who holds a role. */
export const roleMemberRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: `${one}/members`,
    operationId: "listRoleMembers",
    summary: "Lists who holds a role",
    tag,
    access: { action: "role:get-members", ...item },
    answer: listOf(RoleAssignmentSchema),
    problems: ["ROLE_NOT_FOUND"],
    async handler({ services, item: { row } }) {
      const em = services.database.em();
      const links = await em.find(RoleAssignment, { roleId: row.roleId }, {
        orderBy: { assignedAt: "desc", userId: "desc" },
      });
      const users = await em.find(User, { userId: { $in: links.map(({ userId }) => userId) } });
      const byId = new Map(users.map((user) => [user.userId, user]));
      return {
        data: links.map(({ roleId, userId, assignedAt, assignedBy }) => ({
          roleId,
          userId,
          name: byId.get(userId)?.name ?? "",
          email: byId.get(userId)?.email ?? "",
          assignedAt: timestamp(assignedAt),
          assignedBy,
        })),
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: `${one}/assign`,
    operationId: "assignRole",
    summary: "Gives a role to users; the caller must hold all it allows",
    tag,
    access: { action: "role:assign", ...item },
    body: RoleUsers,
    problems: ["ROLE_NOT_FOUND", "USER_NOT_FOUND", "PRIVILEGE_ESCALATION", "LAST_ADMIN"],
    async handler(context) {
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, context.item.id);
        refuseGrantOfPolicy(context, row.policy);
        const users = await findUsers(em, context.body.userIds);
        const links = await em.find(RoleAssignment, { roleId: row.roleId });
        const present = new Set(links.map(({ userId }) => userId));
        const added = users.filter(({ userId }) => !present.has(userId));
        // A role with a DENY takes power away as well.
        await keepAdministrator(em, async () => {
          for (const { userId } of added) {
            em.create(RoleAssignment, {
              userId,
              roleId: row.roleId,
              assignedBy: context.principal.user.userId,
            });
          }
          await em.flush();
        });
        if (added.length === 0) return;
        record({
          ...activityOf("role:assign", row),
          diff: added.map(({ userId }) => ({ op: "add", path: "/members/-", value: userId })),
        });
      });
    },
  }),

  defineRoute({
    method: "POST",
    path: `${one}/unassign`,
    operationId: "unassignRole",
    summary: "Takes a role from users; the caller must hold what its DENY statements held back",
    tag,
    access: { action: "role:unassign", ...item },
    body: RoleUsers,
    problems: ["ROLE_NOT_FOUND", "USER_NOT_FOUND", "PRIVILEGE_ESCALATION", "LAST_ADMIN"],
    async handler(context) {
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, context.item.id);
        refuseLift(context, row.policy);
        await findUsers(em, context.body.userIds);
        const links = await em.find(RoleAssignment, {
          roleId: row.roleId,
          userId: { $in: [...context.body.userIds] },
        });
        await keepAdministrator(em, async () => {
          for (const link of links) em.remove(link);
          await em.flush();
        });
        if (links.length === 0) return;
        record({
          ...activityOf("role:unassign", row),
          diff: links.map(({ userId }) => ({ op: "remove", path: `/members/${userId}` })),
        });
      });
    },
  }),
];

type Em = ReturnType<RouteContext["services"]["database"]["em"]>;

/** Reads users a body names. Throws `USER_NOT_FOUND` with one fault per id that is nobody's. */
export async function findUsers(em: Em, userIds: readonly string[]): Promise<User[]> {
  const users = await em.find(User, { userId: { $in: [...userIds] } });
  const known = new Set(users.map(({ userId }) => userId));
  const faults = userIds.flatMap((userId, index): Fault[] =>
    known.has(userId) ? [] : [{
      path: `/userIds/${index}`,
      code: "USER_NOT_FOUND",
      message: "no user has this id",
    }]
  );
  if (faults.length === 0) return users;
  throw new GatewayError("USER_NOT_FOUND", "A user in userIds does not exist", { faults });
}
