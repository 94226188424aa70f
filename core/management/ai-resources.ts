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
import { completeCapacity } from "./capacity.ts";
import { commit } from "./commit.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers } from "./present.ts";
import { defineRoute, type Route } from "./route.ts";
import { acceptRouting } from "../gateway/accept-routing.ts";
import { mergeSlot, referencesTo, resolveSlots, slotsOf } from "../gateway/slots.ts";
import {
  activityOf,
  assignedKeys,
  assignKeys,
  authorizeConnections,
  checkDefaultArgs,
  described,
  findItem,
  findRow,
  presentResource,
  refuseTakenName,
} from "./ai-resource-rows.ts";

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
      const { body } = context;
      const { environmentId, workspaceId } = context.environment;
      const capacity = completeCapacity(body.capacity ?? []);
      checkDefaultArgs(body.defaultArgs);
      const routing = await acceptRouting(body.routing ?? null, null, context.services.host);
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(body.name);
        const connections = await em.find(AiConnection, { environmentId });
        await refuseTakenName(em, environmentId, name, connections);
        const slots = resolveSlots(
          {
            model: body.model,
            secondaryModels: body.secondaryModels ?? [],
            fallbackModels: body.fallbackModels ?? [],
            routing,
          },
          connections,
          context.services.host,
        );
        authorizeConnections(context, slots, connections);
        const row = em.create(AiResource, {
          resourceId: crypto.randomUUID(),
          environmentId,
          name,
          description: body.description ?? null,
          enabled: body.enabled ?? true,
          model: slots.model,
          secondaryModels: [...slots.secondaryModels],
          fallbackModels: [...slots.fallbackModels],
          useFallback: body.useFallback ?? null,
          routing: slots.routing,
          capacity,
          enforceCapacity: body.enforceCapacity ?? false,
          defaultArgs: body.defaultArgs ?? null,
          onLoss: body.onLoss ?? null,
        });
        await em.flush();
        const keys = await assignKeys(em, row, body.assignApiKeys);
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
      const { body } = context;
      const { environmentId, workspaceId } = context.environment;
      checkDefaultArgs(body.defaultArgs);
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
        if (changesSlots(body)) {
          const slots = resolveSlots(
            {
              model: mergeSlot(row.model, body.model ?? {}),
              secondaryModels: body.secondaryModels === undefined
                ? row.secondaryModels
                : body.secondaryModels ?? [],
              fallbackModels: body.fallbackModels === undefined
                ? row.fallbackModels
                : body.fallbackModels ?? [],
              routing: await acceptRouting(body.routing, row.routing, context.services.host),
            },
            connections,
            context.services.host,
          );
          const known = new Set(slotsOf(row).map(({ value }) => value.connectionId));
          authorizeConnections(context, slots, connections, known);
          row.model = slots.model;
          row.secondaryModels = [...slots.secondaryModels];
          row.fallbackModels = [...slots.fallbackModels];
          row.routing = slots.routing;
        }
        if (body.description !== undefined) row.description = body.description;
        if (body.enabled !== undefined) row.enabled = body.enabled ?? true;
        if (body.useFallback !== undefined) row.useFallback = body.useFallback;
        if (body.capacity !== undefined) row.capacity = completeCapacity(body.capacity ?? []);
        if (body.enforceCapacity !== undefined) row.enforceCapacity = body.enforceCapacity ?? false;
        if (body.defaultArgs !== undefined) row.defaultArgs = body.defaultArgs;
        if (body.onLoss !== undefined) row.onLoss = body.onLoss;
        const keys = body.assignApiKeys === undefined
          ? keysBefore
          : await assignKeys(em, row, body.assignApiKeys ?? []);
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

function changesSlots(patch: AiResourcePatch): boolean {
  const { model, ...lists } = patch;
  return !!model ||
    [lists.secondaryModels, lists.fallbackModels, lists.routing].some((sent) => sent !== undefined);
}
