import type { AiResource, Capacity } from "@vmx/sdk";
import { mergePatchBetween } from "#lib/forms/merge-patch.ts";
import { type RoutingDraft, routingDraft, routingInput } from "#lib/routing/draft.ts";
import { draftOf, type SlotDraft, slotInput } from "#lib/slots/slot.ts";

/** A request as it comes from the test bench. */
export interface Sample {
  /** The gateway's name of its language, such as `openai-chat`. */
  readonly dialect: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A resource while it is edited. */
export interface ResourceDraft {
  name: string;
  description: string;
  enabled: boolean;
  model: SlotDraft;
  secondaryModels: SlotDraft[];
  fallbackModels: SlotDraft[];
  useFallback: boolean | null;
  routing: RoutingDraft;
  capacity: Capacity[];
  enforceCapacity: boolean;
  defaultArgs: Record<string, unknown> | null;
  onLoss: AiResource["onLoss"];
  assignApiKeys: string[];
}

/** A stored resource, ready to be edited. */
export function resourceDraft(resource: AiResource): ResourceDraft {
  return {
    name: resource.name,
    description: resource.description ?? "",
    enabled: resource.enabled,
    model: draftOf(resource.model),
    secondaryModels: resource.secondaryModels.map(draftOf),
    fallbackModels: resource.fallbackModels.map(draftOf),
    useFallback: resource.useFallback,
    routing: routingDraft(resource.routing),
    capacity: resource.capacity,
    enforceCapacity: resource.enforceCapacity,
    defaultArgs: resource.defaultArgs,
    onLoss: resource.onLoss,
    assignApiKeys: resource.assignApiKeys,
  };
}

/** What an edit changes, as it is sent: default arguments merge into those it was made from. */
export function resourcePatch(
  draft: Partial<ResourceDraft>,
  from: Pick<AiResource, "defaultArgs">,
) {
  const { defaultArgs } = draft;
  return {
    ...resourceInput(draft),
    ...(defaultArgs === undefined
      ? {}
      : { defaultArgs: mergePatchBetween(from.defaultArgs, defaultArgs) }),
  };
}

const overridable = [
  "model",
  "secondaryModels",
  "fallbackModels",
  "useFallback",
  "routing",
  "defaultArgs",
  "onLoss",
  "capacity",
  "enforceCapacity",
] as const;

/** The members of a change that a single request may carry; undefined when there are none. */
export function overridesOf(
  patch: ReturnType<typeof resourcePatch>,
): Record<string, unknown> | undefined {
  const members = overridable.filter((name) => patch[name] !== undefined);
  if (members.length === 0) return undefined;
  return Object.fromEntries(members.map((name) => [name, patch[name]]));
}

/** Members of a resource as they are sent whole. */
export function resourceInput(draft: Partial<ResourceDraft>) {
  const { description, model, secondaryModels, fallbackModels, routing, ...plain } = draft;
  return {
    ...plain,
    ...(description === undefined ? {} : { description: description || null }),
    ...(model ? { model: slotInput(model) } : {}),
    ...(secondaryModels ? { secondaryModels: secondaryModels.map(slotInput) } : {}),
    ...(fallbackModels ? { fallbackModels: fallbackModels.map(slotInput) } : {}),
    ...(routing ? { routing: routingInput(routing) } : {}),
  };
}
