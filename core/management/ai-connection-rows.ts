import type { Capacity } from "@vmx/schemas";
import { GatewayError } from "../contract/errors.ts";
import { AiConnection, AiResource } from "../store/entities/index.ts";
import { presentConfig } from "./connection-config.ts";
import { isUuid, sameName } from "./field.ts";
import { trackedMembers } from "./present.ts";
import type { Item, RouteContext } from "./route.ts";
import type { HandlerServices } from "./services.ts";
import type { Reference } from "../gateway/slots.ts";

type Em = ReturnType<HandlerServices["database"]["em"]>;
export type Loaded = Item & { readonly row: AiConnection };
/** A connection as answers show it. */
export function presentConnection(
  row: AiConnection,
  workspaceId: string,
  services: HandlerServices,
) {
  return {
    connectionId: row.connectionId,
    workspaceId,
    environmentId: row.environmentId,
    name: row.name,
    description: row.description,
    provider: row.provider,
    config: presentConfig(services.host, row),
    allowedModels: row.allowedModels,
    capacity: row.capacity as Capacity[],
    enabled: row.enabled,
    discoveredCapacity: row.discoveredCapacity,
    lastTest: row.lastTest,
    circuits: services.gateway.circuits(row.connectionId),
    ...trackedMembers(row),
  };
}

/** Finds the connection of a path for authorisation. Throws `AI_CONNECTION_NOT_FOUND`. */
export async function findConnectionItem(context: RouteContext): Promise<Loaded> {
  const row = await findRow(
    context.services.database.em(),
    context.environment.environmentId,
    context.params.connectionId,
  );
  return { name: row.name, id: row.connectionId, createdBy: row.createdBy, row };
}

/** Reads the row of an id inside its environment. Throws its `..._NOT_FOUND`. */
export async function findRow(
  em: Em,
  environmentId: string,
  connectionId: string | undefined,
): Promise<AiConnection> {
  const row = isUuid(connectionId)
    ? await em.findOne(AiConnection, { connectionId, environmentId })
    : null;
  if (row) return row;
  throw new GatewayError("AI_CONNECTION_NOT_FOUND", "The AI connection in the path does not exist");
}

/** Throws a conflict when the name is taken; the row `except` may keep its own. */
export async function refuseTakenName(
  em: Em,
  environmentId: string,
  name: string,
  except?: string,
): Promise<void> {
  const rows = await em.find(AiConnection, { environmentId }, { fields: ["connectionId", "name"] });
  if (rows.some((row) => row.connectionId !== except && sameName(row.name, name))) {
    throw new GatewayError(
      "AI_CONNECTION_ALREADY_EXISTS",
      `Cannot name the connection "${name}": another one in the environment has that name`,
    );
  }
  const resources = await em.find(AiResource, { environmentId }, { fields: ["name"] });
  const taken = resources.find((resource) => sameName(prefixOf(resource.name) ?? "", name));
  if (!taken) return;
  throw new GatewayError(
    "NAME_CONFLICT",
    `Cannot name the connection "${name}": calls of resource "${taken.name}" would be taken for calls of a model on it`,
  );
}

/** The text before a name's first slash, where a connection's name would stand. */
export function prefixOf(name: string): string | undefined {
  const slash = name.indexOf("/");
  return slash < 0 ? undefined : name.slice(0, slash);
}

/** The conflict of a connection that slots refer to. */
export function inUse(row: AiConnection, references: readonly Reference[]): GatewayError {
  const places = references.slice(0, 3).map(({ resourceName, slot }) =>
    `${resourceName} (${slot})`
  );
  const more = references.length > 3 ? ` and ${references.length - 3} more` : "";
  return new GatewayError(
    "CONNECTION_IN_USE",
    `Cannot let go of connection "${row.name}": it is used by ${places.join(", ")}${more}`,
    { details: { references: references.map((reference) => ({ ...reference })) } },
  );
}

/** The members the activity trail compares. */
export function described(answer: ReturnType<typeof presentConnection>): Record<string, unknown> {
  const { name, description, provider, config, allowedModels, capacity, enabled } = answer;
  return { name, description, provider, config, allowedModels, capacity, enabled };
}

/** The line of the activity trail without its differences. */
export function activityOf(action: string, row: AiConnection, workspaceId: string) {
  return {
    action,
    entity: { type: "ai-connection", id: row.connectionId, name: row.name },
    workspaceId,
    environmentId: row.environmentId,
  };
}
