import { raw } from "@mikro-orm/core";
import {
  ApiKey as ApiKeySchema,
  ApiKeyCreate,
  ApiKeyCreated,
  ApiKeyPatch,
  ApiKeyRoll,
  nameQuery,
  pageOf,
  pageQuery,
  usersQuery,
  Uuid,
} from "@vmx/schemas";
import Type from "typebox";
import { createApiKeyValue } from "../access/api-key-format.ts";
import { hashSecret, maskApiKey } from "../access/token-format.ts";
import { ApiKey, ApiKeyAssignment } from "../store/entities/index.ts";
import { completeCapacity } from "./capacity.ts";
import { commit } from "./commit.ts";
import { pageOfRows, readCursor, writeCursor } from "./cursor.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, parseTimestamp } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers } from "./present.ts";
import { defineRoute, type Route } from "./route.ts";
import {
  activityOf,
  assignedResources,
  assignResources,
  authorizeExecution,
  described,
  findItem,
  findRow,
  mayWiden,
  presentKey,
  refuseTakenName,
} from "./api-key-rows.ts";

const list = `${environmentPath}/api-keys`;
const one = `${list}/{apiKeyId}`;
const tag = "API keys";
const base = "workspace:{w}:environment:{e}:api-key";
const item = { resource: `${base}:{item}`, item: findItem };

/** Operations on API keys. */
export const apiKeyRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listApiKeys",
    summary: "Lists the API keys of an environment, newest first",
    tag,
    access: { action: "api-key:list", resource: base },
    query: Type.Object({
      ...pageQuery,
      ...nameQuery,
      ...usersQuery,
      label: Type.Optional(Type.String({ maxLength: 64 })),
      resourceId: Type.Optional(Uuid),
    }, { additionalProperties: false }),
    answer: pageOf(ApiKeySchema),
    problems: ["ENVIRONMENT_NOT_FOUND", "INVALID_CURSOR"],
    async handler({ query, services, environment }) {
      const em = services.database.em();
      const limit = query.limit ?? 50;
      const after = query.cursor ? readCursor(query.cursor, ["date", "uuid"] as const) : undefined;
      const links = query.resourceId === undefined
        ? undefined
        : await em.find(ApiKeyAssignment, { resourceId: query.resourceId });
      const rows = await em.find(ApiKey, {
        environmentId: environment.environmentId,
        ...(links ? { apiKeyId: { $in: links.map(({ apiKeyId }) => apiKeyId) } } : {}),
        ...(query.name === undefined
          ? {}
          : { [raw((alias) => `lower(${alias}.name)`)]: cleanName(query.name).toLowerCase() }),
        ...(query.label === undefined ? {} : {
          [raw((alias) => `${alias}.labels @> ?::jsonb`, [JSON.stringify([query.label])])]: [],
        }),
        ...(after
          ? {
            $or: [
              { createdAt: { $lt: after[0] } },
              { createdAt: after[0], apiKeyId: { $lt: after[1] } },
            ],
          }
          : {}),
      }, { orderBy: { createdAt: "desc", apiKeyId: "desc" }, limit: limit + 1 });
      const page = pageOfRows(
        rows,
        limit,
        (row) => writeCursor([row.createdAt.toISOString(), row.apiKeyId]),
      );
      const assigned = await assignedResources(em, page.rows);
      const answers = page.rows.map((row) => presentKey(row, environment.workspaceId, assigned));
      return {
        data: await addUsers(em, answers, query.includesUsers),
        nextCursor: page.nextCursor,
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createApiKey",
    summary: "Creates an API key; its value is in this answer only",
    tag,
    access: { action: "api-key:create", resource: base },
    body: ApiKeyCreate,
    answer: ApiKeyCreated,
    secrets: ["value"],
    problems: ["ENVIRONMENT_NOT_FOUND", "API_KEY_ALREADY_EXISTS", "AI_RESOURCE_NOT_FOUND"],
    async handler(context) {
      const { body } = context;
      const { environmentId, workspaceId } = context.environment;
      authorizeExecution(context);
      const value = createApiKeyValue();
      const capacity = completeCapacity(body.capacity ?? []);
      const expiresAt = parseTimestamp(body.expiresAt, "/expiresAt");
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(body.name);
        await refuseTakenName(em, environmentId, name);
        const row = em.create(ApiKey, {
          apiKeyId: crypto.randomUUID(),
          environmentId,
          name,
          description: body.description ?? null,
          enabled: body.enabled ?? true,
          expiresAt,
          restrictToAssigned: body.restrictToAssigned ?? false,
          labels: body.labels ?? [],
          enforceCapacity: body.enforceCapacity ?? false,
          capacity,
          allowOverrides: body.allowOverrides ?? true,
          allowAdHoc: body.allowAdHoc ?? true,
          maskedKey: maskApiKey(value),
          hash: hashSecret(value),
        });
        await em.flush();
        const resources = await assignResources(context, em, row, body.resources);
        const answer = presentKey(row, workspaceId, resources);
        record({
          ...activityOf("api-key:create", row, workspaceId),
          diff: diff({}, described(answer)),
        });
        return { ...answer, value };
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: one,
    operationId: "getApiKey",
    summary: "Reads an API key",
    tag,
    access: { action: "api-key:get", ...item },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: ApiKeySchema,
    problems: ["API_KEY_NOT_FOUND"],
    async handler({ query, services, environment, item: { row } }) {
      const em = services.database.em();
      const resources = await assignedResources(em, [row]);
      const answers = [presentKey(row, environment.workspaceId, resources)];
      return (await addUsers(em, answers, query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updateApiKey",
    summary: "Changes an API key",
    tag,
    access: { action: "api-key:update", ...item },
    body: ApiKeyPatch,
    answer: ApiKeySchema,
    problems: [
      "API_KEY_NOT_FOUND",
      "API_KEY_ALREADY_EXISTS",
      "AI_RESOURCE_NOT_FOUND",
      "VERSION_MISMATCH",
    ],
    async handler(context) {
      const { body } = context;
      const { environmentId, workspaceId } = context.environment;
      if (mayWiden(body)) authorizeExecution(context);
      const expiresAt = parseTimestamp(body.expiresAt, "/expiresAt");
      return await commit(context, async ({ em, record }) => {
        const row = await findRow(em, environmentId, context.item.id);
        checkVersion(context.ifMatch, row);
        const resourcesBefore = await assignedResources(em, [row]);
        const before = described(presentKey(row, workspaceId, resourcesBefore));
        if (body.name !== undefined) {
          const name = cleanName(body.name);
          await refuseTakenName(em, environmentId, name, row.apiKeyId);
          row.name = name;
        }
        if (body.description !== undefined) row.description = body.description;
        if (body.enabled !== undefined) row.enabled = body.enabled ?? true;
        if (body.expiresAt !== undefined) row.expiresAt = expiresAt;
        if (body.restrictToAssigned !== undefined) {
          row.restrictToAssigned = body.restrictToAssigned ?? false;
        }
        if (body.labels !== undefined) row.labels = body.labels ?? [];
        if (body.enforceCapacity !== undefined) row.enforceCapacity = body.enforceCapacity ?? false;
        if (body.capacity !== undefined) row.capacity = completeCapacity(body.capacity ?? []);
        if (body.allowOverrides !== undefined) row.allowOverrides = body.allowOverrides ?? true;
        if (body.allowAdHoc !== undefined) row.allowAdHoc = body.allowAdHoc ?? true;
        const resources = body.resources === undefined
          ? resourcesBefore
          : await assignResources(context, em, row, body.resources ?? []);
        await em.flush();
        const answer = presentKey(row, workspaceId, resources);
        record({
          ...activityOf("api-key:update", row, workspaceId),
          diff: diff(before, described(answer)),
        });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: one,
    operationId: "deleteApiKey",
    summary: "Deletes an API key",
    tag,
    access: { action: "api-key:delete", ...item },
    problems: ["API_KEY_NOT_FOUND", "VERSION_MISMATCH"],
    async handler(context) {
      const { environmentId, workspaceId } = context.environment;
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, environmentId, context.item.id);
        checkVersion(context.ifMatch, row);
        em.remove(row);
        record(activityOf("api-key:delete", row, workspaceId));
      });
    },
  }),

  defineRoute({
    method: "POST",
    path: `${one}/roll`,
    operationId: "rollApiKey",
    summary: "Gives an API key a new value; the old one may stay valid for a while",
    tag,
    access: { action: "api-key:update", ...item },
    body: ApiKeyRoll,
    bodyOptional: true,
    answer: ApiKeyCreated,
    status: 200,
    secrets: ["value"],
    problems: ["API_KEY_NOT_FOUND"],
    async handler(context) {
      const { environmentId, workspaceId } = context.environment;
      authorizeExecution(context);
      const graceMs = (context.body.graceSeconds ?? 0) * 1000;
      const value = createApiKeyValue();
      return await commit(context, async ({ em, record }) => {
        const row = await findRow(em, environmentId, context.item.id);
        checkVersion(context.ifMatch, row);
        row.previousHash = graceMs > 0 ? row.hash : null;
        row.previousValidUntil = graceMs > 0
          ? new Date(context.services.clock.now() + graceMs)
          : null;
        row.hash = hashSecret(value);
        row.maskedKey = maskApiKey(value);
        await em.flush();
        const answer = presentKey(row, workspaceId, await assignedResources(em, [row]));
        record(activityOf("api-key:roll", row, workspaceId));
        return { ...answer, value };
      });
    },
  }),
];
