import type { AiResourcePatch, ModelSlotInput, Routing } from "@vmx/schemas";
import { type Fault, GatewayError } from "../contract/errors.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { NormalisedRouting } from "../routing/index.ts";
import type { ConnectionView, SlotView } from "../store/snapshot.ts";

/** What slots need to know of a connection; rows and snapshot views both have it. */
export type SlotConnection = Pick<ConnectionView, "connectionId" | "name" | "provider">;

/** The slots of a resource. */
export interface SlotSet<Slot> {
  readonly model: Slot;
  readonly secondaryModels: readonly Slot[];
  readonly fallbackModels: readonly Slot[];
  /** Rules, whose routes lead to slots. */
  readonly routing: { readonly conditions: readonly { readonly then: Slot | null }[] } | null;
}

/** Slots as sent; rules are in stored form already. */
export interface SentSlots extends SlotSet<ModelSlotInput> {
  readonly routing: NormalisedRouting | null;
}

/** Slots as stored. */
export interface ResolvedSlots extends SlotSet<SlotView> {
  readonly routing: Routing | null;
}

/** A slot with the path errors name it by, such as `fallbackModels[1]`. */
export interface NamedSlot<Slot> {
  readonly slot: string;
  readonly value: Slot;
}

/** Every slot of a resource with its path. */
export function slotsOf<Slot>(resource: SlotSet<Slot>): NamedSlot<Slot>[] {
  return [
    { slot: "model", value: resource.model },
    ...resource.secondaryModels.map((value, index) => ({ slot: secondary(index), value })),
    ...resource.fallbackModels.map((value, index) => ({ slot: fallback(index), value })),
    ...resource.routing?.conditions.flatMap(({ then }, index) =>
      then ? [{ slot: routed(index), value: then }] : []
    ) ?? [],
  ];
}

const secondary = (index: number) => `secondaryModels[${index}]`;
const fallback = (index: number) => `fallbackModels[${index}]`;
const routed = (index: number) => `routing.conditions[${index}].then`;

/** Where a connection is used. */
export interface Reference {
  readonly resourceId: string;
  readonly resourceName: string;
  readonly slot: string;
}

/** Every slot of the resources that uses the connection. */
export function referencesTo(
  connectionId: string,
  resources: readonly (SlotSet<SlotView> & {
    readonly resourceId: string;
    readonly name: string;
  })[],
): Reference[] {
  return resources.flatMap((resource) =>
    slotsOf(resource)
      .filter(({ value }) => value.connectionId === connectionId)
      .map(({ slot }) => ({ resourceId: resource.resourceId, resourceName: resource.name, slot }))
  );
}

/** A slot that names another connection takes nothing about the connection over from the one before. */
export function mergeSlot(
  stored: SlotView | undefined,
  patch: NonNullable<AiResourcePatch["model"]>,
): ModelSlotInput {
  const moves = patch.connectionId != null || patch.connectionName != null;
  const { connectionId, provider, ...tuning } = stored ?? {};
  const merged = { ...tuning, ...(moves ? {} : { connectionId, provider }), ...patch };
  // Null clears: the member goes back to its default.
  return Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== null),
  ) as ModelSlotInput;
}

/**
 * Turns slots as sent into slots as stored: the connection by id, its provider, defaults filled in.
 *
 * Throws `invalid_request` with one fault per slot that cannot be resolved.
 */
export function resolveSlots(
  sent: SentSlots,
  connections: readonly SlotConnection[],
  host: PluginHost,
): ResolvedSlots {
  const faults: Fault[] = [];
  const resolve = (slot: string, value: ModelSlotInput): SlotView => {
    const found = findConnection(value, connections);
    const problem = typeof found === "string" ? found : providerFault(value, found, host);
    if (problem !== undefined) {
      faults.push({ path: pointerOf(slot), code: "invalid_request", message: problem, slot });
    }
    const connection = typeof found === "string" ? undefined : found;
    return {
      connectionId: connection?.connectionId ?? "",
      provider: connection?.provider ?? "",
      model: value.model,
      maxRetries: value.maxRetries ?? 0,
      timeoutMs: value.timeoutMs ?? null,
      ...(value.firstTokenTimeoutMs ? { firstTokenTimeoutMs: value.firstTokenTimeoutMs } : {}),
      ...(value.idleTimeoutMs ? { idleTimeoutMs: value.idleTimeoutMs } : {}),
    };
  };
  const resolved: ResolvedSlots = {
    model: resolve("model", sent.model),
    secondaryModels: sent.secondaryModels.map((value, index) => resolve(secondary(index), value)),
    fallbackModels: sent.fallbackModels.map((value, index) => resolve(fallback(index), value)),
    routing: sent.routing && {
      ...sent.routing,
      conditions: sent.routing.conditions.map(({ then, ...route }, index) => ({
        ...route,
        then: then && { ...resolve(routed(index), then), traffic: then.traffic },
      })),
    },
  };
  const [first] = faults;
  if (first) {
    throw new GatewayError("invalid_request", `Cannot resolve ${first.slot}: ${first.message}`, {
      faults,
      param: first.slot!,
    });
  }
  return resolved;
}

/** The rules without the slots of a connection that goes: a route left without a target is disabled. */
export function detachRoutes(routing: Routing, connectionId: string): Routing {
  return {
    ...routing,
    conditions: routing.conditions.map((route) =>
      route.then?.connectionId === connectionId ? { ...route, enabled: false, then: null } : route
    ),
  };
}

function findConnection(
  { connectionId, connectionName }: ModelSlotInput,
  connections: readonly SlotConnection[],
): SlotConnection | string {
  if (connectionId !== undefined) {
    return connections.find((connection) => connection.connectionId === connectionId) ??
      `no connection of the environment has the id ${connectionId}`;
  }
  if (connectionName === undefined) return "a connectionId or connectionName is required";
  return connections.find(({ name }) =>
    name.toLowerCase() === connectionName.trim().normalize("NFC").toLowerCase()
  ) ??
    `no connection of the environment is named "${connectionName}"`;
}

function providerFault(
  { provider }: ModelSlotInput,
  connection: SlotConnection,
  host: PluginHost,
): string | undefined {
  if (provider === undefined) return undefined;
  const id = host.find("providers", provider)?.id ?? provider;
  return id === connection.provider
    ? undefined
    : `provider "${provider}" is not the connection's, which is "${connection.provider}"`;
}

function pointerOf(slot: string): string {
  return `/${slot.replaceAll(/[[.]/g, "/").replaceAll("]", "")}`;
}
