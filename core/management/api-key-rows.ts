import { ApiKeyPatch, type Capacity } from "@vmx/schemas";
import { authorize } from "../access/authorize.ts";
import { type Fault, GatewayError } from "../contract/errors.ts";
import { AiResource, ApiKey, ApiKeyAssignment } from "../store/entities/index.ts";
import { isUuid, sameName } from "./field.ts";
import { timestamp, trackedMembers } from "./present.ts";
import type { Item, RouteContext } from "./route.ts";
import { resourceFor } from "./scope.ts";
import type { HandlerServices } from "./services.ts";

type Em = ReturnType<HandlerServices["database"]["em"]>;
type ResourcesByKey = ReadonlyMap<string, readonly string[]>;
type Place = Pick<RouteContext, "snapshot" | "principal" | "workspace" | "environment">;

/** An API key as answers show it, without its value. */
export function presentKey(row: ApiKey, workspaceId: string, resources: ResourcesByKey) {
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
export function authorizeExecution(context: Place): void {
  const resource = resourceFor("workspace:{w}:environment:{e}:completion", context);
  authorize(context.snapshot, context.principal, "completion:execute", resource);
}

/** Whether a change can give the key more than it has. */
export function mayWiden(body: ApiKeyPatch): boolean {
  const { name: _n, description: _d, labels: _l, enabled, ...rights } = body;
  return (enabled !== undefined && enabled !== false) || Object.keys(rights).length > 0;
}

/** Replaces the resources of a key. Assigning one needs the right to read it. */
export async function assignResources(
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

/** Resources assigned to the given keys. */
export async function assignedResources(em: Em, rows: readonly ApiKey[]): Promise<ResourcesByKey> {
  const links = await em.find(ApiKeyAssignment, {
    apiKeyId: { $in: rows.map(({ apiKeyId }) => apiKeyId) },
  }, { orderBy: { resourceId: "asc" } });
  return new Map(
    [...Map.groupBy(links, ({ apiKeyId }) => apiKeyId)]
      .map(([apiKeyId, group]) => [apiKeyId, group.map(({ resourceId }) => resourceId)]),
  );
}

/** Finds the object of a path for authorisation. Throws its `..._NOT_FOUND`. */
export async function findItem(context: RouteContext): Promise<Item & { readonly row: ApiKey }> {
  const em = context.services.database.em();
  const row = await findRow(em, context.environment.environmentId, context.params.apiKeyId);
  return { name: row.name, id: row.apiKeyId, createdBy: row.createdBy, row };
}

/** Reads the row of an id inside its environment. Throws its `..._NOT_FOUND`. */
export async function findRow(
  em: Em,
  environmentId: string,
  apiKeyId: string | undefined,
): Promise<ApiKey> {
  const row = isUuid(apiKeyId) ? await em.findOne(ApiKey, { apiKeyId, environmentId }) : null;
  if (row) return row;
  throw new GatewayError("API_KEY_NOT_FOUND", "The API key in the path does not exist");
}

/** Throws a conflict when the name is taken; the row `except` may keep its own. */
export async function refuseTakenName(
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

/** The members the activity trail compares. */
export function described(answer: ReturnType<typeof presentKey>): Record<string, unknown> {
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

/** The line of the activity trail without its differences. */
export function activityOf(action: string, row: ApiKey, workspaceId: string) {
  return {
    action,
    entity: { type: "api-key", id: row.apiKeyId, name: row.name },
    workspaceId,
    environmentId: row.environmentId,
  };
}
