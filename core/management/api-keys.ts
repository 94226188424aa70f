import { raw } from "@mikro-orm/core";
import {
  ApiKey as ApiKeySchema,
  ApiKeyCreate,
  ApiKeyCreated,
  ApiKeyPatch,
  ApiKeyRoll,
  type Capacity,
  nameQuery,
  pageOf,
  pageQuery,
  usersQuery,
  Uuid,
} from "@vmx/schemas";
import Type from "typebox";
import { createApiKeyValue } from "../access/api-key-format.ts";
import { authorize } from "../access/authorize.ts";
import { hashSecret, maskApiKey } from "../access/token-format.ts";
import { type Fault, GatewayError } from "../contract/errors.ts";
import { AiResource, ApiKey, ApiKeyAssignment } from "../store/entities/index.ts";
import { completeCapacity } from "./capacity.ts";
import { commit } from "./commit.ts";
import { pageOfRows, readCursor, writeCursor } from "./cursor.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, isUuid, parseTimestamp, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers, timestamp, trackedMembers } from "./present.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";
import { resourceFor } from "./scope.ts";
import type { HandlerServices } from "./services.ts";

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

type Em = ReturnType<HandlerServices["database"]["em"]>;
type ResourcesByKey = ReadonlyMap<string, readonly string[]>;
type Place = Pick<RouteContext, "snapshot" | "principal" | "workspace" | "environment">;

function presentKey(row: ApiKey, workspaceId: string, resources: ResourcesByKey) {
  return {
    apiKeyId: row.apiKeyId,
    workspaceId,
    environmentId: row.environmentId,
    name: row.name,
    description: row.description,
    enabled: row.enabled,
    expiresAt: timestamp(row.expiresAt),
    resources: resources.get(row.apiKeyId) ?? [],
    restrictToAssigned: row.restrictToAssigned,
    labels: row.labels,
    enforceCapacity: row.enforceCapacity,
    capacity: row.capacity as Capacity[],
    allowOverrides: row.allowOverrides,
    allowAdHoc: row.allowAdHoc,
    maskedKey: row.maskedKey,
    lastUsedAt: timestamp(row.lastUsedAt),
    ...trackedMembers(row),
  };
}

/** Making, rolling or widening a key needs the right to call models oneself. */
function authorizeExecution(context: Place): void {
  const resource = resourceFor("workspace:{w}:environment:{e}:completion", context);
  authorize(context.snapshot, context.principal, "completion:execute", resource);
}

/** Whether a change can give the key more than it has. */
function mayWiden(body: ApiKeyPatch): boolean {
  const { name: _n, description: _d, labels: _l, enabled, ...rights } = body;
  return (enabled !== undefined && enabled !== false) || Object.keys(rights).length > 0;
}

/** Replaces the resources of a key. Assigning one needs the right to read it. */
async function assignResources(
  context: Place,
  em: Em,
  { apiKeyId, environmentId }: ApiKey,
  resourceIds: readonly string[] | undefined,
): Promise<ResourcesByKey> {
  const wanted = new Set(resourceIds);
  const found = wanted.size === 0
    ? []
    : await em.find(AiResource, { environmentId, resourceId: { $in: [...wanted] } });
  const known = new Map(found.map((resource) => [resource.resourceId, resource]));
  const faults = [...wanted].flatMap((id, index): Fault[] =>
    known.has(id) ? [] : [{
      path: `/resources/${index}`,
      code: "AI_RESOURCE_NOT_FOUND",
      message: "no AI resource of the environment has this id",
    }]
  );
  if (faults.length > 0) {
    throw new GatewayError("AI_RESOURCE_NOT_FOUND", "An AI resource to assign does not exist", {
      faults,
    });
  }
  const links = await em.find(ApiKeyAssignment, { apiKeyId });
  const present = new Set(links.map(({ resourceId }) => resourceId));
  for (const link of links) if (!wanted.has(link.resourceId)) em.remove(link);
  for (const resource of found) {
    const { resourceId, name, createdBy } = resource;
    if (present.has(resourceId)) continue;
    const target = resourceFor("workspace:{w}:environment:{e}:ai-resource:{item}", context, {
      name,
      id: resourceId,
      createdBy,
    });
    authorize(context.snapshot, context.principal, "ai-resource:get", target);
    em.create(ApiKeyAssignment, { apiKeyId, resourceId });
  }
  await em.flush();
  return new Map([[apiKeyId, [...wanted].sort()]]);
}

async function assignedResources(em: Em, rows: readonly ApiKey[]): Promise<ResourcesByKey> {
  const links = await em.find(ApiKeyAssignment, {
    apiKeyId: { $in: rows.map(({ apiKeyId }) => apiKeyId) },
  }, { orderBy: { resourceId: "asc" } });
  return new Map(
    [...Map.groupBy(links, ({ apiKeyId }) => apiKeyId)]
      .map(([apiKeyId, group]) => [apiKeyId, group.map(({ resourceId }) => resourceId)]),
  );
}

async function findItem(context: RouteContext): Promise<Item & { readonly row: ApiKey }> {
  const em = context.services.database.em();
  const row = await findRow(em, context.environment.environmentId, context.params.apiKeyId);
  return { name: row.name, id: row.apiKeyId, createdBy: row.createdBy, row };
}

async function findRow(
  em: Em,
  environmentId: string,
  apiKeyId: string | undefined,
): Promise<ApiKey> {
  const row = isUuid(apiKeyId) ? await em.findOne(ApiKey, { apiKeyId, environmentId }) : null;
  if (row) return row;
  throw new GatewayError("API_KEY_NOT_FOUND", "The API key in the path does not exist");
}

async function refuseTakenName(
  em: Em,
  environmentId: string,
  name: string,
  except?: string,
): Promise<void> {
  const rows = await em.find(ApiKey, { environmentId }, { fields: ["apiKeyId", "name"] });
  if (!rows.some((row) => row.apiKeyId !== except && sameName(row.name, name))) return;
  throw new GatewayError(
    "API_KEY_ALREADY_EXISTS",
    `Cannot name the API key "${name}": another one in the environment has that name`,
  );
}

function described(answer: ReturnType<typeof presentKey>): Record<string, unknown> {
  const { name, description, enabled, expiresAt, resources, restrictToAssigned, labels } = answer;
  const { enforceCapacity, capacity, allowOverrides, allowAdHoc } = answer;
  return {
    name,
    description,
    enabled,
    expiresAt,
    resources,
    restrictToAssigned,
    labels,
    enforceCapacity,
    capacity,
    allowOverrides,
    allowAdHoc,
  };
}

function activityOf(action: string, row: ApiKey, workspaceId: string) {
  return {
    action,
    entity: { type: "api-key", id: row.apiKeyId, name: row.name },
    workspaceId,
    environmentId: row.environmentId,
  };
}
