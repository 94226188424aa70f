import {
  AiResource as AiResourceSchema,
  AiResourceCreate,
  AiResourcePatch,
  type Capacity,
  listOf,
  type ModelSlotInput,
  nameQuery,
  usersQuery,
  Uuid,
} from "@vmx/schemas";
import Type from "typebox";
import { authorize } from "../access/authorize.ts";
import { type Fault, GatewayError } from "../contract/errors.ts";
import {
  AiConnection,
  AiResource,
  ApiKey,
  ApiKeyAssignment,
  PoolDefinition,
} from "../store/entities/index.ts";
import type { SlotView } from "../store/snapshot.ts";
import { prefixOf } from "./ai-connections.ts";
import { completeCapacity } from "./capacity.ts";
import { commit } from "./commit.ts";
import { environmentPath } from "./environments.ts";
import { checkVersion } from "./etag.ts";
import { cleanName, isUuid, sameName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { addUsers, trackedMembers } from "./present.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";
import { resourceFor } from "./scope.ts";
import type { HandlerServices } from "./services.ts";
import { referencesTo, resolveSlots, type SlotSet, slotsOf } from "./slots.ts";

const list = `${environmentPath}/ai-resources`;
const one = `${list}/{resourceId}`;
const tag = "AI resources";
const base = "workspace:{w}:environment:{e}:ai-resource";
const item = { resource: `${base}:{item}`, item: findItem };
const maxDefaultArgsBytes = 64 * 1024;

const saveProblems = [
  "invalid_request",
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
      return await commit(context, async ({ em, record }) => {
        const name = cleanName(body.name);
        const connections = await em.find(AiConnection, { environmentId });
        await refuseTakenName(em, environmentId, name, connections);
        const slots = resolveSlots(
          {
            model: body.model,
            secondaryModels: body.secondaryModels ?? [],
            fallbackModels: body.fallbackModels ?? [],
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
    summary: "Changes an AI resource; the members of `model` merge, lists of slots are replaced",
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
        if (body.model || body.secondaryModels !== undefined || body.fallbackModels !== undefined) {
          const slots = resolveSlots(
            {
              model: mergeSlot(row.model, body.model ?? {}),
              secondaryModels: body.secondaryModels === undefined
                ? row.secondaryModels
                : body.secondaryModels ?? [],
              fallbackModels: body.fallbackModels === undefined
                ? row.fallbackModels
                : body.fallbackModels ?? [],
            },
            connections,
            context.services.host,
          );
          const known = new Set(slotsOf(row).map(({ value }) => value.connectionId));
          authorizeConnections(context, slots, connections, known);
          row.model = slots.model;
          row.secondaryModels = [...slots.secondaryModels];
          row.fallbackModels = [...slots.fallbackModels];
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

type Em = ReturnType<HandlerServices["database"]["em"]>;
type KeysByResource = ReadonlyMap<string, readonly string[]>;

function presentResource(row: AiResource, workspaceId: string, keys: KeysByResource) {
  return {
    resourceId: row.resourceId,
    workspaceId,
    environmentId: row.environmentId,
    name: row.name,
    description: row.description,
    enabled: row.enabled,
    model: row.model,
    secondaryModels: row.secondaryModels,
    fallbackModels: row.fallbackModels,
    useFallback: row.useFallback,
    routing: null,
    capacity: row.capacity as Capacity[],
    enforceCapacity: row.enforceCapacity,
    defaultArgs: row.defaultArgs,
    onLoss: row.onLoss,
    assignApiKeys: keys.get(row.resourceId) ?? [],
    ...trackedMembers(row),
  };
}

/** A slot that names another connection takes nothing about the connection over from the one before. */
function mergeSlot(stored: SlotView, patch: NonNullable<AiResourcePatch["model"]>): ModelSlotInput {
  const moves = patch.connectionId != null || patch.connectionName != null;
  const { connectionId, provider, ...tuning } = stored;
  const merged = { ...tuning, ...(moves ? {} : { connectionId, provider }), ...patch };
  // Null clears: the member goes back to its default.
  return Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== null),
  ) as ModelSlotInput;
}

/** Referring to a connection needs the right to read it. */
function authorizeConnections(
  context: Pick<RouteContext, "snapshot" | "principal" | "workspace" | "environment">,
  slots: SlotSet<SlotView>,
  connections: readonly AiConnection[],
  known: ReadonlySet<string> = new Set(),
): void {
  const ids = new Set(slotsOf(slots).map(({ value }) => value.connectionId));
  for (const { connectionId, name, createdBy } of connections) {
    if (!ids.has(connectionId) || known.has(connectionId)) continue;
    const resource = resourceFor("workspace:{w}:environment:{e}:ai-connection:{item}", context, {
      name,
      id: connectionId,
      createdBy,
    });
    authorize(context.snapshot, context.principal, "ai-connection:get", resource);
  }
}

/** Replaces the keys of a resource; answers them as `presentResource` wants them. */
async function assignKeys(
  em: Em,
  { resourceId, environmentId }: AiResource,
  apiKeyIds: readonly string[] | undefined,
): Promise<KeysByResource> {
  const wanted = new Set(apiKeyIds);
  if (wanted.size > 0) {
    const found = await em.find(ApiKey, { environmentId, apiKeyId: { $in: [...wanted] } }, {
      fields: ["apiKeyId"],
    });
    const known = new Set(found.map(({ apiKeyId }) => apiKeyId));
    const faults = [...wanted].flatMap((id, index): Fault[] =>
      known.has(id) ? [] : [{
        path: `/assignApiKeys/${index}`,
        code: "API_KEY_NOT_FOUND",
        message: "no API key of the environment has this id",
      }]
    );
    if (faults.length > 0) {
      throw new GatewayError("API_KEY_NOT_FOUND", "An API key to assign does not exist", {
        faults,
      });
    }
  }
  const links = await em.find(ApiKeyAssignment, { resourceId });
  for (const link of links) if (!wanted.has(link.apiKeyId)) em.remove(link);
  const present = new Set(links.map(({ apiKeyId }) => apiKeyId));
  for (const apiKeyId of wanted) {
    if (!present.has(apiKeyId)) em.create(ApiKeyAssignment, { apiKeyId, resourceId });
  }
  await em.flush();
  return new Map([[resourceId, [...wanted].sort()]]);
}

async function assignedKeys(em: Em, rows: readonly AiResource[]): Promise<KeysByResource> {
  const links = await em.find(ApiKeyAssignment, {
    resourceId: { $in: rows.map(({ resourceId }) => resourceId) },
  }, { orderBy: { apiKeyId: "asc" } });
  return new Map(
    [...Map.groupBy(links, ({ resourceId }) => resourceId)]
      .map(([resourceId, group]) => [resourceId, group.map(({ apiKeyId }) => apiKeyId)]),
  );
}

function checkDefaultArgs(args: Readonly<Record<string, unknown>> | null | undefined): void {
  if (!args) return;
  const faults: Fault[] = ["model", "stream", "vmx"].filter((name) => Object.hasOwn(args, name))
    .map((name) => ({
      path: `/defaultArgs/${name}`,
      code: "not_allowed",
      message: "is set by every call and cannot have a default",
    }));
  if (new TextEncoder().encode(JSON.stringify(args)).length > maxDefaultArgsBytes) {
    faults.push({ path: "/defaultArgs", code: "too_large", message: "must not exceed 64 KiB" });
  }
  if (faults.length === 0) return;
  throw new GatewayError(
    "VALIDATION_FAILED",
    `Cannot accept defaultArgs: ${faults[0]!.path.slice(1)} ${faults[0]!.message}`,
    { faults },
  );
}

async function findItem(context: RouteContext): Promise<Item & { readonly row: AiResource }> {
  const em = context.services.database.em();
  const row = await findRow(em, context.environment.environmentId, context.params.resourceId);
  return { name: row.name, id: row.resourceId, createdBy: row.createdBy, row };
}

async function findRow(
  em: Em,
  environmentId: string,
  resourceId: string | undefined,
): Promise<AiResource> {
  const row = isUuid(resourceId)
    ? await em.findOne(AiResource, { resourceId, environmentId })
    : null;
  if (row) return row;
  throw new GatewayError("AI_RESOURCE_NOT_FOUND", "The AI resource in the path does not exist");
}

async function refuseTakenName(
  em: Em,
  environmentId: string,
  name: string,
  connections: readonly AiConnection[],
  except?: string,
): Promise<void> {
  const rows = await em.find(AiResource, { environmentId }, { fields: ["resourceId", "name"] });
  if (rows.some((row) => row.resourceId !== except && sameName(row.name, name))) {
    throw new GatewayError(
      "AI_RESOURCE_ALREADY_EXISTS",
      `Cannot name the resource "${name}": another one in the environment has that name`,
    );
  }
  const prefix = prefixOf(name);
  const taken = connections.find((connection) => sameName(connection.name, prefix ?? ""));
  if (prefix === undefined || !taken) return;
  throw new GatewayError(
    "NAME_CONFLICT",
    `Cannot name the resource "${name}": it would be taken for a model on connection "${taken.name}"`,
  );
}

function described(answer: ReturnType<typeof presentResource>): Record<string, unknown> {
  const { resourceId: _, workspaceId: _w, environmentId: _e, version: _v, ...rest } = answer;
  const {
    createdAt: _c,
    updatedAt: _u,
    createdBy: _cb,
    updatedBy: _ub,
    managedBy: _m,
    ...members
  } = rest;
  return members;
}

function activityOf(action: string, row: AiResource, workspaceId: string) {
  return {
    action,
    entity: { type: "ai-resource", id: row.resourceId, name: row.name },
    workspaceId,
    environmentId: row.environmentId,
  };
}
