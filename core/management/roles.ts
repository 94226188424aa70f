import {
  listOf,
  nameQuery,
  PermissionCatalog,
  Role as RoleSchema,
  RoleCreate,
  RolePatch,
  usersQuery,
} from "@vmx/schemas";
import Type from "typebox";
import { permissionModules, resourceTemplate } from "../access/actions.ts";
import { checkPolicy } from "../access/policy.ts";
import { GatewayError } from "../contract/errors.ts";
import { Role, RoleAssignment } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers } from "./present.ts";
import {
  activityOf,
  described,
  findItem,
  findRow,
  presentRoles,
  refuseBuiltIn,
  refuseGrantOfPolicy,
  refuseLift,
  refuseTakenName,
} from "./role-rows.ts";
import { defineRoute, type Route } from "./route.ts";
import { keepAdministrator } from "./user-rules.ts";

const list = "/api/v1/roles";
const one = `${list}/{roleId}`;
const tag = "Identity";
const item = { resource: "role:{item}", item: findItem };
const membersQuery = { includesMembers: Type.Optional(Type.Boolean()) };

/** Operations on roles. */
export const roleRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listRoles",
    summary: "Lists the roles",
    tag,
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
    method: "POST",
    path: list,
    operationId: "createRole",
    summary: "Creates a role; its policy may allow only what the caller holds",
    tag,
    access: { action: "role:create", resource: "role" },
    body: RoleCreate,
    answer: RoleSchema,
    problems: ["ROLE_ALREADY_EXISTS", "POLICY_INVALID", "PRIVILEGE_ESCALATION"],
    async handler(context) {
      const policy = checkPolicy(context.body.policy, "/policy");
      refuseGrantOfPolicy(context, policy);
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(context.body.name);
        await refuseTakenName(em, name);
        const row = em.create(Role, {
          roleId: crypto.randomUUID(),
          name,
          description: context.body.description ?? null,
          policy,
        });
        await em.flush();
        record({ ...activityOf("role:create", row), diff: diff({}, described(row)) });
        return (await presentRoles(em, [row]))[0];
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: `${list}/permissions`,
    operationId: "listPermissions",
    summary: "Lists the modules, actions and resources policies can speak of",
    tag,
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
    path: one,
    operationId: "getRole",
    summary: "Reads a role",
    tag,
    access: { action: "role:get", ...item },
    query: Type.Object({ ...usersQuery, ...membersQuery }, { additionalProperties: false }),
    answer: RoleSchema,
    problems: ["ROLE_NOT_FOUND"],
    async handler({ query, services, item: { row } }) {
      const em = services.database.em();
      const answers = await presentRoles(em, [row], query.includesMembers);
      return (await addUsers(em, answers, query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updateRole",
    summary: "Changes a role; a policy that is sent replaces the present one",
    tag,
    access: { action: "role:update", ...item },
    body: RolePatch,
    answer: RoleSchema,
    problems: [
      "ROLE_NOT_FOUND",
      "ROLE_ALREADY_EXISTS",
      "BUILT_IN_ROLE",
      "POLICY_INVALID",
      "PRIVILEGE_ESCALATION",
      "LAST_ADMIN",
      "VERSION_MISMATCH",
    ],
    async handler(context) {
      const { body } = context;
      const policy = body.policy === undefined ? undefined : checkPolicy(body.policy, "/policy");
      return await commit(context, async ({ em, record }) => {
        const row = await findRow(em, context.item.id);
        checkVersion(context.ifMatch, row);
        refuseBuiltIn(row);
        // A name is a right too: policies tell roles apart by it.
        refuseGrantOfPolicy(context, policy ?? row.policy);
        if (policy) refuseLift(context, row.policy, policy);
        const before = described(row);
        if (body.name !== undefined) {
          const name = cleanName(body.name);
          await refuseTakenName(em, name, row.roleId);
          row.name = name;
        }
        if (body.description !== undefined) row.description = body.description;
        await keepAdministrator(em, async () => {
          if (policy) row.policy = policy;
          await em.flush();
        });
        record({ ...activityOf("role:update", row), diff: diff(before, described(row)) });
        return (await presentRoles(em, [row]))[0];
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: one,
    operationId: "deleteRole",
    summary: "Deletes a role; with `detach` also one that users hold",
    tag,
    access: { action: "role:delete", ...item },
    query: Type.Object({ detach: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
    problems: [
      "ROLE_NOT_FOUND",
      "ROLE_IN_USE",
      "BUILT_IN_ROLE",
      "PRIVILEGE_ESCALATION",
      "LAST_ADMIN",
      "VERSION_MISMATCH",
    ],
    async handler(context) {
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, context.item.id);
        checkVersion(context.ifMatch, row);
        refuseBuiltIn(row);
        refuseLift(context, row.policy);
        const links = await em.find(RoleAssignment, { roleId: row.roleId });
        if (links.length > 0 && !context.query.detach) {
          throw new GatewayError(
            "ROLE_IN_USE",
            `Cannot delete the role "${row.name}": ${links.length} ${
              links.length === 1 ? "user holds" : "users hold"
            } it; ?detach=true takes it from them`,
            { details: { membersCount: links.length } },
          );
        }
        await keepAdministrator(em, async () => {
          for (const link of links) em.remove(link);
          em.remove(row);
          await em.flush();
        });
        record(activityOf("role:delete", row));
      });
    },
  }),
];
