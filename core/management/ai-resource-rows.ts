import type { Capacity } from "@vmx/schemas";
import { authorize } from "../access/authorize.ts";
import { type Fault, GatewayError } from "../contract/errors.ts";
import { AiConnection, AiResource, ApiKey, ApiKeyAssignment } from "../store/entities/index.ts";
import type { SlotView } from "../store/snapshot.ts";
import { prefixOf } from "./ai-connection-rows.ts";
import { authorizeExecution } from "./api-key-rows.ts";
import { isUuid, sameName } from "./field.ts";
import { trackedMembers } from "./present.ts";
import type { Item, RouteContext } from "./route.ts";
import { resourceFor } from "./scope.ts";
import type { HandlerServices } from "./services.ts";
import type { NamedSlot } from "../gateway/slots.ts";

type Em = ReturnType<HandlerServices["database"]["em"]>;
type KeysByResource = ReadonlyMap<string, readonly string[]>;

/** An AI resource as answers show it. */
export function presentResource(row: AiResource, workspaceId: string, keys: KeysByResource) {
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
    routing: row.routing,
    capacity: row.capacity as Capacity[],
    enforceCapacity: row.enforceCapacity,
    defaultArgs: row.defaultArgs,
    onLoss: row.onLoss,
    assignApiKeys: keys.get(row.resourceId) ?? [],
    ...trackedMembers(row),
  };
}

/** Referring to a connection needs the right to read it. */
export function authorizeConnections(
  context: Pick<RouteContext, "snapshot" | "principal" | "workspace" | "environment">,
  slots: readonly NamedSlot<SlotView>[],
  connections: readonly AiConnection[],
): void {
  const ids = new Set(slots.map(({ value }) => value.connectionId));
  for (const { connectionId, name, createdBy } of connections) {
    if (!ids.has(connectionId)) continue;
    const resource = resourceFor("workspace:{w}:environment:{e}:ai-connection:{item}", context, {
      name,
      id: connectionId,
      createdBy,
    });
    authorize(context.snapshot, context.principal, "ai-connection:get", resource);
  }
}

/**
 * Replaces the keys of a resource; answers them as `presentResource` wants them. A key that comes to a resource is
 * widened, which needs the right to call models oneself.
 */
export async function assignKeys(
  context: Pick<RouteContext, "snapshot" | "principal" | "workspace" | "environment">,
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
  const added = [...wanted].filter((apiKeyId) => !present.has(apiKeyId));
  if (added.length > 0) authorizeExecution(context);
  for (const apiKeyId of added) em.create(ApiKeyAssignment, { apiKeyId, resourceId });
  await em.flush();
  return new Map([[resourceId, [...wanted].sort()]]);
}

/** Keys assigned to the given resources. */
export async function assignedKeys(em: Em, rows: readonly AiResource[]): Promise<KeysByResource> {
  const links = await em.find(ApiKeyAssignment, {
    resourceId: { $in: rows.map(({ resourceId }) => resourceId) },
  }, { orderBy: { apiKeyId: "asc" } });
  return new Map(
    [...Map.groupBy(links, ({ resourceId }) => resourceId)]
      .map(([resourceId, group]) => [resourceId, group.map(({ apiKeyId }) => apiKeyId)]),
  );
}

/** Finds the object of a path for authorisation. Throws its `..._NOT_FOUND`. */
export async function findItem(
  context: RouteContext,
): Promise<Item & { readonly row: AiResource }> {
  const em = context.services.database.em();
  const row = await findRow(em, context.environment.environmentId, context.params.resourceId);
  return { name: row.name, id: row.resourceId, createdBy: row.createdBy, row };
}

/** Reads the row of an id inside its environment. Throws its `..._NOT_FOUND`. */
export async function findRow(
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

/** Throws a conflict when the name is taken; the row `except` may keep its own. */
export async function refuseTakenName(
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

/** The members the activity trail compares. */
export function described(answer: ReturnType<typeof presentResource>): Record<string, unknown> {
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

/** The line of the activity trail without its differences. */
export function activityOf(action: string, row: AiResource, workspaceId: string) {
  return {
    action,
    entity: { type: "ai-resource", id: row.resourceId, name: row.name },
    workspaceId,
    environmentId: row.environmentId,
  };
}
