import { listOf, nameQuery, PermissionCatalog, Role as RoleSchema, usersQuery } from "@vmx/schemas";
import Type from "typebox";
import { permissionModules, resourceTemplate } from "../access/actions.ts";
import { GatewayError } from "../contract/errors.ts";
import { Role, RoleAssignment, User } from "../store/entities/index.ts";
import { isUuid, sameName } from "./field.ts";
import { addUsers, summaryOf, trackedMembers } from "./present.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";
import type { HandlerServices } from "./services.ts";

const membersQuery = { includesMembers: Type.Optional(Type.Boolean()) };

/** Operations on roles. */
export const roleRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/roles",
    operationId: "listRoles",
    summary: "Lists the roles",
    tag: "Identity",
    access: { action: "role:list", resource: "role" },
    query: Type.Object({ ...nameQuery, ...usersQuery, ...membersQuery }, {
      additionalProperties: false,
    }),
    answer: listOf(RoleSchema),
    async handler({ query, services }) {
      const em = services.database.em();
      const rows = (await em.find(Role, {}, { orderBy: { createdAt: "desc", roleId: "desc" } }))
        .filter(({ name }) => query.name === undefined || sameName(name, query.name));
      const answers = await presentRoles(em, rows, query.includesMembers);
      return { data: await addUsers(em, answers, query.includesUsers) };
    },
  }),

  defineRoute({
    method: "GET",
    path: "/api/v1/roles/permissions",
    operationId: "listPermissions",
    summary: "Lists the modules, actions and resources policies can speak of",
    tag: "Identity",
    access: "self",
    answer: PermissionCatalog,
    handler: () => ({
      modules: Object.entries(permissionModules).map(([name, { operations }]) => {
        const { base, item } = resourceTemplate(name);
        const actions = operations.map((operation) => `${name}:${operation}`);
        return { name, actions, baseResource: base, itemResource: item };
      }),
    }),
  }),

  defineRoute({
    method: "GET",
    path: "/api/v1/roles/{roleId}",
    operationId: "getRole",
    summary: "Reads a role",
    tag: "Identity",
    access: { action: "role:get", resource: "role:{item}", item: findItem },
    query: Type.Object({ ...usersQuery, ...membersQuery }, { additionalProperties: false }),
    answer: RoleSchema,
    problems: ["ROLE_NOT_FOUND"],
    async handler({ query, services, item: { row } }) {
      const em = services.database.em();
      const answers = await presentRoles(em, [row], query.includesMembers);
      return (await addUsers(em, answers, query.includesUsers))[0];
    },
  }),
];

type Em = ReturnType<HandlerServices["database"]["em"]>;

async function presentRoles(em: Em, rows: readonly Role[], includesMembers: boolean | undefined) {
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

async function findItem(
  { params, services }: RouteContext,
): Promise<Item & { readonly row: Role }> {
  const { roleId } = params;
  const row = isUuid(roleId) ? await services.database.em().findOne(Role, { roleId }) : null;
  if (row) return { name: row.name, id: row.roleId, row };
  throw new GatewayError("ROLE_NOT_FOUND", "The role in the path does not exist");
}
