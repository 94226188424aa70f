import type { AiResourcePatch } from "@vmx/schemas";
import { type Fault, GatewayError } from "../contract/errors.ts";
import { acceptRouting } from "../gateway/accept-routing.ts";
import { mergeSlot, resolveSlots, type SlotConnection } from "../gateway/slots.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { AiResource } from "../store/entities/index.ts";
import type { ResourceView, SlotView } from "../store/snapshot.ts";
import { completeCapacity } from "./capacity.ts";
import { mergePatch } from "./merge-patch.ts";

const maxDefaultArgsBytes = 64 * 1024;

/** What a resource's configuration says, but for its name and its keys. */
export type ResourceFields = Pick<
  AiResource,
  | "description"
  | "enabled"
  | "model"
  | "secondaryModels"
  | "fallbackModels"
  | "useFallback"
  | "routing"
  | "capacity"
  | "enforceCapacity"
  | "defaultArgs"
  | "onLoss"
>;

/** A patch of what `ResourceFields` holds. */
export type FieldsPatch = Omit<AiResourcePatch, "name" | "assignApiKeys">;

type SlotsBefore = Pick<ResourceView, "secondaryModels" | "fallbackModels" | "routing"> & {
  readonly model: SlotView | undefined;
};

/** What a patch is laid over. */
type Before = SlotsBefore & Partial<Pick<ResourceView, "defaultArgs">>;

const noSlots = { model: undefined, secondaryModels: [], fallbackModels: [], routing: null };

/** The configuration of a new resource, defaults filled in. Rejects as `changedFields` does. */
export async function newFields(
  body: FieldsPatch & Required<Pick<FieldsPatch, "model">>,
  connections: readonly SlotConnection[],
  host: PluginHost,
): Promise<ResourceFields> {
  const changed = await changedFields(noSlots, body, connections, host);
  return {
    description: null,
    enabled: true,
    secondaryModels: [],
    fallbackModels: [],
    useFallback: null,
    routing: null,
    capacity: [],
    enforceCapacity: false,
    defaultArgs: null,
    onLoss: null,
    ...changed,
    model: changed.model!,
  };
}

/**
 * The members of a resource that a patch changes, in stored form. Everything that takes a resource in, to save it or
 * to try it out, comes here, so that one configuration has one verdict.
 *
 * Rejects with `VALIDATION_FAILED`, `EXPRESSION_INVALID`, or `invalid_request` for slots that cannot be resolved.
 */
export async function changedFields(
  before: Before,
  patch: FieldsPatch,
  connections: readonly SlotConnection[],
  host: PluginHost,
): Promise<Partial<ResourceFields>> {
  const { description, onLoss, useFallback } = patch;
  const defaultArgs = mergeDefaultArgs(before.defaultArgs, patch.defaultArgs);
  checkDefaultArgs(defaultArgs);
  return {
    ...(description === undefined ? {} : { description }),
    ...(patch.enabled === undefined ? {} : { enabled: patch.enabled ?? true }),
    ...(useFallback === undefined ? {} : { useFallback }),
    ...(patch.capacity === undefined ? {} : { capacity: completeCapacity(patch.capacity ?? []) }),
    ...(patch.enforceCapacity === undefined
      ? {}
      : { enforceCapacity: patch.enforceCapacity ?? false }),
    ...(defaultArgs === undefined ? {} : { defaultArgs }),
    ...(onLoss === undefined ? {} : { onLoss }),
    ...await changedSlots(before, patch, connections, host),
  };
}

async function changedSlots(
  before: SlotsBefore,
  patch: FieldsPatch,
  connections: readonly SlotConnection[],
  host: PluginHost,
): Promise<Partial<Pick<ResourceFields, keyof SlotsBefore>>> {
  const { fallbackModels, model, routing, secondaryModels } = patch;
  if (!model && [fallbackModels, routing, secondaryModels].every((sent) => sent === undefined)) {
    return {};
  }
  const resolved = resolveSlots(
    {
      // Bodies that create a resource always name one.
      model: model ? mergeSlot(before.model, model) : before.model!,
      secondaryModels: secondaryModels === undefined
        ? before.secondaryModels
        : secondaryModels ?? [],
      fallbackModels: fallbackModels === undefined ? before.fallbackModels : fallbackModels ?? [],
      routing: await acceptRouting(routing, before.routing, host),
    },
    connections,
    host,
  );
  return {
    ...resolved,
    secondaryModels: [...resolved.secondaryModels],
    fallbackModels: [...resolved.fallbackModels],
  };
}

/** A new resource's arguments are kept as they are sent, members that are null included: there is nothing to clear. */
function mergeDefaultArgs(
  before: ResourceView["defaultArgs"] | undefined,
  sent: FieldsPatch["defaultArgs"],
): FieldsPatch["defaultArgs"] {
  if (!sent || before === undefined) return sent;
  return mergePatch(before, sent) as Record<string, unknown>;
}

/** Throws `VALIDATION_FAILED` when default arguments set what every call sets, or exceed 64 KiB. */
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
