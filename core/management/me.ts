import {
  listOf,
  MePatch,
  Permissions,
  Token,
  TokenCreate,
  TokenCreated,
  User as UserSchema,
} from "@vmx/schemas";
import Type from "typebox";
import { decideAccess, maySeeWorkspace } from "../access/authorize.ts";
import { refuseEscalation } from "../access/escalation.ts";
import { checkPolicy, compilePolicy } from "../access/policy.ts";
import { createTokenValue } from "../access/token-format.ts";
import { readResource } from "../access/read-resource.ts";
import { GatewayError } from "../contract/errors.ts";
import { PersonalAccessToken, User } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, isUuid, parseTimestamp, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { timestamp } from "./present.ts";
import { defineRoute, type Route } from "./route.ts";
import type { HandlerServices } from "./services.ts";
import { presentUsers, rename } from "./user-rows.ts";

const tag = "Me";

/** Operations on one's own user, tokens and rights. */
export const meRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/me",
    operationId: "getMe",
    summary: "Reads one's own user",
    tag,
    access: "self",
    answer: UserSchema,
    async handler({ services, principal }) {
      const em = services.database.em();
      return (await presentUsers(em, [await findMe(em, principal.user.userId)]))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: "/api/v1/me",
    operationId: "updateMe",
    summary: "Changes one's own names and picture",
    tag,
    access: "self",
    body: MePatch,
    answer: UserSchema,
    problems: ["VERSION_MISMATCH"],
    handler(context) {
      return commit(context, async ({ em, record }) => {
        const row = await findMe(em, context.principal.user.userId);
        checkVersion(context.ifMatch, row);
        const before = names(row);
        rename(row, context.body);
        if (context.body.pictureUrl !== undefined) row.pictureUrl = context.body.pictureUrl;
        await em.flush();
        record({
          action: "user:update",
          entity: { type: "user", id: row.userId, name: row.username },
          diff: diff(before, names(row)),
        });
        return (await presentUsers(em, [row]))[0];
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: "/api/v1/me/tokens",
    operationId: "listMyTokens",
    summary: "Lists one's own personal access tokens",
    tag,
    access: "self",
    answer: listOf(Token),
    async handler({ services, principal }) {
      const rows = await services.database.em().find(PersonalAccessToken, {
        userId: principal.user.userId,
      }, { orderBy: { createdAt: "desc", tokenId: "desc" } });
      return { data: rows.map(presentToken) };
    },
  }),

  defineRoute({
    method: "POST",
    path: "/api/v1/me/tokens",
    operationId: "createMyToken",
    summary: "Creates a personal access token; its value is in this answer only",
    tag,
    access: "self",
    body: TokenCreate,
    answer: TokenCreated,
    secrets: ["token"],
    problems: ["TOKEN_ALREADY_EXISTS", "POLICY_INVALID", "PRIVILEGE_ESCALATION"],
    async handler(context) {
      const { body, principal } = context;
      const { userId } = principal.user;
      const policy = body.policy ? checkPolicy(body.policy, "/policy") : null;
      if (principal.token?.policy) {
        const everything = {
          statements: [{ effect: "allow" as const, actions: ["*"], resources: ["*"] }],
        };
        refuseEscalation(
          [compilePolicy(principal.token.policy)],
          [compilePolicy(policy ?? everything)],
        );
      }
      const expiresAt = parseTimestamp(body.expiresAt, "/expiresAt");
      const token = createTokenValue();
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(body.name);
        const rows = await em.find(PersonalAccessToken, { userId });
        if (rows.some((row) => sameName(row.name, name))) {
          throw new GatewayError(
            "TOKEN_ALREADY_EXISTS",
            `Cannot name the token "${name}": you have one of that name`,
          );
        }
        const row = em.create(PersonalAccessToken, {
          tokenId: crypto.randomUUID(),
          userId,
          name,
          hash: token.hash,
          prefix: token.prefix,
          maskedToken: token.masked,
          expiresAt,
          policy,
        });
        await em.flush();
        record({
          action: "token:create",
          entity: { type: "token", id: row.tokenId, name },
          diff: diff({}, { name, expiresAt: timestamp(expiresAt), policy }),
        });
        return { ...presentToken(row), token: token.value };
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: "/api/v1/me/tokens/{tokenId}",
    operationId: "deleteMyToken",
    summary: "Ends one of one's own personal access tokens",
    tag,
    access: "self",
    problems: ["TOKEN_NOT_FOUND"],
    async handler(context) {
      const { tokenId } = context.params;
      await commit(context, async ({ em, record }) => {
        const { userId } = context.principal.user;
        const row = isUuid(tokenId)
          ? await em.findOne(PersonalAccessToken, { tokenId, userId })
          : null;
        if (!row) throw new GatewayError("TOKEN_NOT_FOUND", "The token in the path does not exist");
        em.remove(row);
        record({
          action: "token:delete",
          entity: { type: "token", id: row.tokenId, name: row.name },
        });
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: "/api/v1/me/permissions",
    operationId: "listMyPermissions",
    summary: "Tells what one may do, for pairs of action and resource",
    tag,
    access: "self",
    query: Type.Object({
      action: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
        minItems: 1,
        maxItems: 100,
      }),
      resource: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
        minItems: 1,
        maxItems: 100,
      }),
    }, { additionalProperties: false }),
    answer: Permissions,
    handler({ query, snapshot, principal }) {
      if (query.action.length !== query.resource.length) {
        throw new GatewayError(
          "VALIDATION_FAILED",
          "Cannot pair actions with resources: send as many of one as of the other",
        );
      }
      return {
        data: query.action.map((action, index) => {
          const text = query.resource[index]!;
          const resource = readResource(
            snapshot,
            text,
            (workspaceId) => maySeeWorkspace(snapshot, principal, workspaceId),
          );
          const isHidden = /^workspace:./i.test(text) && resource.workspaceId === undefined;
          const decision = isHidden
            ? { allowed: false, decidedBy: "membership" }
            : decideAccess(snapshot, principal, action, resource);
          return { action, resource: text, ...decision };
        }),
      };
    },
  }),
];

type Em = ReturnType<HandlerServices["database"]["em"]>;

function presentToken(row: PersonalAccessToken) {
  return {
    tokenId: row.tokenId,
    userId: row.userId,
    name: row.name,
    prefix: row.prefix,
    maskedToken: row.maskedToken,
    expiresAt: timestamp(row.expiresAt),
    policy: row.policy,
    lastUsedAt: timestamp(row.lastUsedAt),
    createdAt: row.createdAt.toISOString(),
  };
}

function names({ firstName, lastName, name, pictureUrl }: User) {
  return { firstName, lastName, name, pictureUrl };
}

async function findMe(em: Em, userId: string): Promise<User> {
  const row = await em.findOne(User, { userId });
  if (row) return row;
  throw new GatewayError("NOT_AUTHENTICATED", "The user does not exist any more");
}
