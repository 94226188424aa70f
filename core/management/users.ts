import {
  pageOf,
  pageQuery,
  User as UserSchema,
  UserCreate,
  UserPatch,
  usersQuery,
  UserState,
} from "@vmx/schemas";
import Type from "typebox";
import { authorize, maySeeWorkspace } from "../access/authorize.ts";
import { refuseGrant, refuseTakeover } from "../access/held.ts";
import { compilePolicy } from "../access/policy.ts";
import { checkPassword } from "../access/password-rules.ts";
import { resourceOf } from "../access/resource.ts";
import { GatewayError } from "../contract/errors.ts";
import {
  PersonalAccessToken,
  Role,
  RoleAssignment,
  Session,
  User,
  WorkspaceMember,
} from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { pageOfRows, readCursor, writeCursor } from "./cursor.ts";
import { checkVersion } from "./etag.ts";
import { diff } from "./merge-patch.ts";
import { addUsers } from "./present.ts";
import { defineRoute, type Route } from "./route.ts";
import { keepAdministrator, refuseLastOwner } from "./user-rules.ts";
import {
  activityOf,
  described,
  findItem,
  findRow,
  fullName,
  presentUsers,
  refuseTakenNames,
  rename,
} from "./user-rows.ts";

const list = "/api/v1/users";
const one = `${list}/{userId}`;
const tag = "Identity";
const item = { resource: "user:{item}", item: findItem };

/** Operations on users. */
export const userRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listUsers",
    summary: "Lists the users by username",
    tag,
    access: { action: "user:list", resource: "user" },
    query: Type.Object({
      ...pageQuery,
      ...usersQuery,
      q: Type.Optional(Type.String({ maxLength: 200, description: "Part of a name or email" })),
      state: Type.Optional(UserState),
    }, { additionalProperties: false }),
    answer: pageOf(UserSchema),
    problems: ["INVALID_CURSOR"],
    async handler({ query, services }) {
      const em = services.database.em();
      const limit = query.limit ?? 50;
      const after = query.cursor ? readCursor(query.cursor, ["text"] as const) : undefined;
      const part = `%${(query.q ?? "").replace(/[\\%_]/g, "\\$&")}%`;
      const rows = await em.find(User, {
        ...(after ? { username: { $gt: after[0] } } : {}),
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.q
          ? {
            $or: [{ username: { $ilike: part } }, { email: { $ilike: part } }, {
              name: { $ilike: part },
            }],
          }
          : {}),
      }, { orderBy: { username: "asc" }, limit: limit + 1 });
      const page = pageOfRows(rows, limit, ({ username }) => writeCursor([username]));
      const answers = await presentUsers(em, page.rows);
      return {
        data: await addUsers(em, answers, query.includesUsers),
        nextCursor: page.nextCursor,
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createUser",
    summary: "Creates a user; with a password the first login asks for another one",
    tag,
    access: { action: "user:create", resource: "user" },
    body: UserCreate,
    answer: UserSchema,
    problems: [
      "USER_USERNAME_IN_USE",
      "USER_EMAIL_IN_USE",
      "PASSWORD_TOO_WEAK",
      "ROLE_NOT_FOUND",
      "PRIVILEGE_ESCALATION",
    ],
    async handler(context) {
      const { body, services, snapshot, principal } = context;
      if (body.password !== undefined) await checkPassword(body.password, body, "/password");
      const passwordHash = body.password === undefined
        ? null
        : await services.access.passwords.hash(body.password);
      return await commit(context, async ({ em, record }) => {
        await refuseTakenNames(em, body);
        const roles = await em.find(Role, { roleId: { $in: body.roleIds ?? [] } });
        if (roles.length !== (body.roleIds?.length ?? 0)) {
          throw new GatewayError("ROLE_NOT_FOUND", "A role in roleIds does not exist");
        }
        for (const { name, roleId } of roles) {
          const resource = resourceOf(["role", { name, id: roleId }]);
          authorize(snapshot, principal, "role:assign", resource);
        }
        refuseGrant(snapshot, principal, roles.map(({ policy }) => compilePolicy(policy)));
        const userId = crypto.randomUUID();
        const row = em.create(User, {
          userId,
          username: body.username,
          email: body.email,
          firstName: body.firstName,
          lastName: body.lastName,
          name: body.name ?? fullName(body),
          pictureUrl: body.pictureUrl ?? null,
          state: body.state ?? (passwordHash === null ? "ACTIVE" : "CHANGE_PASSWORD"),
          passwordHash,
        });
        for (const { roleId } of roles) {
          em.create(RoleAssignment, { userId, roleId, assignedBy: principal.user.userId });
        }
        await em.flush();
        const answer = (await presentUsers(em, [row]))[0]!;
        record({ ...activityOf("user:create", row), diff: diff({}, described(answer)) });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: one,
    operationId: "getUser",
    summary: "Reads a user",
    tag,
    access: { action: "user:get", ...item },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: UserSchema,
    problems: ["USER_NOT_FOUND"],
    async handler({ query, services, item: { row } }) {
      const em = services.database.em();
      return (await addUsers(em, await presentUsers(em, [row]), query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updateUser",
    summary: "Changes a user; a new password ends their sessions and tokens",
    tag,
    access: { action: "user:update", ...item },
    body: UserPatch,
    answer: UserSchema,
    problems: [
      "USER_NOT_FOUND",
      "USER_USERNAME_IN_USE",
      "USER_EMAIL_IN_USE",
      "PASSWORD_TOO_WEAK",
      "PRIVILEGE_ESCALATION",
      "LAST_ADMIN",
      "VERSION_MISMATCH",
    ],
    async handler(context) {
      const { body, services, snapshot, principal } = context;
      const { row: known } = context.item;
      const takesOver = body.password !== undefined || body.email !== undefined ||
        body.username !== undefined || body.state !== undefined;
      if (takesOver) refuseTakeover(snapshot, principal, known.userId);
      if (body.password !== undefined) {
        const owner = {
          username: body.username ?? known.username,
          email: body.email ?? known.email,
        };
        await checkPassword(body.password, owner, "/password");
      }
      const passwordHash = body.password === undefined
        ? undefined
        : await services.access.passwords.hash(body.password);
      let endsAccess = false;
      const answer = await commit(context, async ({ em, record }) => {
        const row = await findRow(em, known.userId);
        checkVersion(context.ifMatch, row);
        const before = described((await presentUsers(em, [row]))[0]!);
        await refuseTakenNames(em, body, row.userId);
        if (body.username !== undefined) row.username = body.username;
        if (body.email !== undefined && body.email !== row.email) {
          row.email = body.email;
          row.emailVerified = false;
        }
        rename(row, body);
        if (body.pictureUrl !== undefined) row.pictureUrl = body.pictureUrl;
        const stateBefore = row.state;
        await keepAdministrator(em, async () => {
          if (passwordHash !== undefined) {
            row.passwordHash = passwordHash;
            row.state = "CHANGE_PASSWORD";
          }
          if (body.state !== undefined) row.state = body.state;
          await em.flush();
        });
        // What was ended by a deactivation must not come back with the activation.
        const isRevived = stateBefore === "INACTIVE" && row.state !== "INACTIVE";
        endsAccess = passwordHash !== undefined || isRevived || row.state === "INACTIVE";
        if (passwordHash !== undefined || isRevived) {
          for (const token of await em.find(PersonalAccessToken, { userId: row.userId })) {
            em.remove(token);
          }
        }
        if (endsAccess) await em.nativeDelete(Session, { userId: row.userId });
        await em.flush();
        const after = (await presentUsers(em, [row]))[0]!;
        record({
          ...activityOf("user:update", row),
          diff: [
            ...diff(before, described(after)),
            ...(passwordHash === undefined
              ? []
              : [{ op: "replace", path: "/password", value: "changed" }]),
          ],
        });
        return after;
      });
      if (endsAccess) await services.access.sessions.endAll(known.userId);
      return answer;
    },
  }),

  defineRoute({
    method: "DELETE",
    path: one,
    operationId: "deleteUser",
    summary: "Deletes a user with their sessions, tokens, memberships and role assignments",
    tag,
    access: { action: "user:delete", ...item },
    problems: ["USER_NOT_FOUND", "LAST_ADMIN", "LAST_OWNER", "VERSION_MISMATCH"],
    async handler(context) {
      const { services, snapshot, principal, item } = context;
      refuseTakeover(snapshot, principal, item.id);
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, item.id);
        checkVersion(context.ifMatch, row);
        await keepAdministrator(em, async () => {
          for (const link of await em.find(RoleAssignment, { userId: row.userId })) em.remove(link);
          await em.flush();
        });
        await refuseLastOwner(em, row.userId, {
          maySee: (workspaceId) => maySeeWorkspace(snapshot, principal, workspaceId),
        });
        const links = [
          ...await em.find(WorkspaceMember, { userId: row.userId }),
          ...await em.find(PersonalAccessToken, { userId: row.userId }),
        ];
        for (const link of links) em.remove(link);
        em.remove(row);
        await em.nativeDelete(Session, { userId: row.userId });
        record(activityOf("user:delete", row));
      });
      await services.access.sessions.endAll(item.id);
    },
  }),
];
