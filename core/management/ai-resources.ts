import {
  AiResource as AiResourceSchema,
  AiResourceCreate,
  AiResourcePatch,
  listOf,
  nameQuery,
  usersQuery,
  Uuid,
} from "@vmx/schemas";
import Type from "typebox";
import {
  AiConnection,
  AiResource,
  ApiKeyAssignment,
  PoolDefinition,
} from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers } from "./present.ts";
import { defineRoute, type Route } from "./route.ts";
import { referencesTo, slotsOf } from "../gateway/slots.ts";
import {
  activityOf,
  assignedKeys,
  assignKeys,
  authorizeConnections,
  described,
  findItem,
  findRow,
  presentResource,
  refuseTakenName,
} from "./ai-resource-rows.ts";
import { changedFields, newFields } from "./ai-resource-fields.ts";

const list = `${environmentPath}/ai-resources`;
const one = `${list}/{resourceId}`;
const tag = "AI resources";
const base = "workspace:{w}:environment:{e}:ai-resource";
const item = { resource: `${base}:{item}`, item: findItem };

const saveProblems = [
  "invalid_request",
  "EXPRESSION_INVALID",
  "AI_RESOURCE_ALREADY_EXISTS",
  "NAME_CONFLICT",
  "API_KEY_NOT_FOUND",
] as const;

/** Operations on AI resources. */
export const aiResourceRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listAiResources",
    summary: "Lists the AI resources of an environment",
    tag,
    access: { action: "ai-resource:list", resource: base },
    query: Type.Object({
      ...nameQuery,
      ...usersQuery,
      connectionId: Type.Optional(Uuid),
    }, { additionalProperties: false }),
    answer: listOf(AiResourceSchema),
    problems: ["ENVIRONMENT_NOT_FOUND"],
    async handler({ query, services, environment }) {
      const em = services.database.em();
      const { environmentId } = environment;
      const rows = (await em.find(AiResource, { environmentId }, {
        orderBy: { createdAt: "desc", resourceId: "desc" },
      })).filter((row) =>
        (query.name === undefined || sameName(row.name, query.name)) &&
        (query.connectionId === undefined || referencesTo(query.connectionId, [row]).length > 0)
      );
      const keys = await assignedKeys(em, rows);
      const answers = rows.map((row) => presentResource(row, environment.workspaceId, keys));
      return { data: await addUsers(em, answers, query.includesUsers) };
    },
  }),

  defineRoute({
    method: "POST",
    path: list,
    operationId: "createAiResource",
    summary: "Creates an AI resource; connections may be named by id or by name",
    tag,
    access: { action: "ai-resource:create", resource: base },
    body: AiResourceCreate,
    answer: AiResourceSchema,
    problems: ["ENVIRONMENT_NOT_FOUND", ...saveProblems],
    async handler(context) {
      const { body, services } = context;
      const { environmentId, workspaceId } = context.environment;
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(body.name);
        const connections = await em.find(AiConnection, { environmentId });
        await refuseTakenName(em, environmentId, name, connections);
        const fields = await newFields(body, connections, services.host);
        authorizeConnections(context, slotsOf(fields), connections);
        const row = em.create(AiResource, {
          resourceId: crypto.randomUUID(),
          environmentId,
          name,
          ...fields,
        });
        await em.flush();
        const keys = await assignKeys(context, em, row, body.assignApiKeys);
        const answer = presentResource(row, workspaceId, keys);
        record({
          ...activityOf("ai-resource:create", row, workspaceId),
          diff: diff({}, described(answer)),
        });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "GET",
    path: one,
    operationId: "getAiResource",
    summary: "Reads an AI resource",
    tag,
    access: { action: "ai-resource:get", ...item },
    query: Type.Object(usersQuery, { additionalProperties: false }),
    answer: AiResourceSchema,
    problems: ["AI_RESOURCE_NOT_FOUND"],
    async handler({ query, services, environment, item: { row } }) {
      const em = services.database.em();
      const keys = await assignedKeys(em, [row]);
      const answers = [presentResource(row, environment.workspaceId, keys)];
      return (await addUsers(em, answers, query.includesUsers))[0];
    },
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updateAiResource",
    summary:
      "Changes an AI resource; the members of `model` and `routing` merge, lists are replaced",
    tag,
    access: { action: "ai-resource:update", ...item },
    body: AiResourcePatch,
    answer: AiResourceSchema,
    problems: ["AI_RESOURCE_NOT_FOUND", "VERSION_MISMATCH", ...saveProblems],
    async handler(context) {
      const { body, services } = context;
      const { environmentId, workspaceId } = context.environment;
      return await commit(context, async ({ em, record }) => {
        const row = await findRow(em, environmentId, context.item.id);
        checkVersion(context.ifMatch, row);
        const keysBefore = await assignedKeys(em, [row]);
        const before = described(presentResource(row, workspaceId, keysBefore));
        const connections = await em.find(AiConnection, { environmentId });
        if (body.name !== undefined) {
          const name = cleanName(body.name);
          await refuseTakenName(em, environmentId, name, connections, row.resourceId);
          row.name = name;
        }
        const known = new Set(slotsOf(row).map(({ value }) => value.connectionId));
        Object.assign(row, await changedFields(row, body, connections, services.host));
        const added = slotsOf(row).filter(({ value }) => !known.has(value.connectionId));
        authorizeConnections(context, added, connections);
        const keys = body.assignApiKeys === undefined
          ? keysBefore
          : await assignKeys(context, em, row, body.assignApiKeys ?? []);
        await em.flush();
        const answer = presentResource(row, workspaceId, keys);
        record({
          ...activityOf("ai-resource:update", row, workspaceId),
          diff: diff(before, described(answer)),
        });
        return answer;
      });
    },
  }),

  defineRoute({
    method: "DELETE",
    path: one,
    operationId: "deleteAiResource",
    summary: "Deletes an AI resource and takes it out of pools and keys",
    tag,
    access: { action: "ai-resource:delete", ...item },
    problems: ["AI_RESOURCE_NOT_FOUND", "VERSION_MISMATCH"],
    async handler(context) {
      const { environmentId, workspaceId } = context.environment;
      await commit(context, async ({ em, record }) => {
        const row = await findRow(em, environmentId, context.item.id);
        checkVersion(context.ifMatch, row);
        const pools = await em.findOne(PoolDefinition, { environmentId });
        if (pools?.definition.some(({ resources }) => resources.includes(row.resourceId))) {
          pools.definition = pools.definition.map((pool) => ({
            ...pool,
            resources: pool.resources.filter((id) => id !== row.resourceId),
          }));
        }
        for (const link of await em.find(ApiKeyAssignment, { resourceId: row.resourceId })) {
          em.remove(link);
        }
        em.remove(row);
        record(activityOf("ai-resource:delete", row, workspaceId));
      });
    },
  }),
];
