import Type from "typebox";
import { CapacityList } from "./capacity.ts";
import {
  AnyObject,
  closed,
  Description,
  Name,
  nullable,
  patchOf,
  trackedFields,
  Uuid,
} from "./field.ts";
import { ModelSlot, ModelSlotInput } from "./model-slot.ts";
import { Routing } from "./routing.ts";
import { RoutingInput, RoutingPatch } from "./routing-input.ts";

const useFallback = nullable(Type.Boolean({
  description: "Null: fallbacks run when there are any",
}));
const onLoss = nullable(Type.Enum(["allow", "warn", "reject"], {
  description: "Null: the environment's setting",
}));

/** Members of a resource one request may override. */
export const AiResourceOverrides = Type.Object({
  model: Type.Optional(Type.Partial(ModelSlotInput)),
  secondaryModels: Type.Optional(Type.Array(ModelSlotInput, { maxItems: 50 })),
  fallbackModels: Type.Optional(Type.Array(ModelSlotInput, { maxItems: 20 })),
  useFallback: Type.Optional(useFallback),
  routing: Type.Optional(nullable(RoutingPatch)),
  defaultArgs: Type.Optional(nullable(AnyObject)),
  onLoss: Type.Optional(onLoss),
  capacity: Type.Optional(CapacityList),
  enforceCapacity: Type.Optional(Type.Boolean()),
}, {
  ...closed,
  title: "AiResourceOverrides",
  description: "Members of a resource that one request overrides",
});
/** See the schema of the same name. */
export type AiResourceOverrides = Type.Static<typeof AiResourceOverrides>;

/** A logical endpoint whose name callers send as `model`. */
export const AiResource = Type.Object({
  resourceId: Uuid,
  workspaceId: Uuid,
  environmentId: Uuid,
  name: Type.String(),
  description: nullable(Type.String()),
  enabled: Type.Boolean(),
  model: ModelSlot,
  secondaryModels: Type.Array(ModelSlot),
  fallbackModels: Type.Array(ModelSlot),
  useFallback,
  routing: nullable(Routing),
  capacity: CapacityList,
  enforceCapacity: Type.Boolean(),
  defaultArgs: nullable(AnyObject),
  onLoss,
  assignApiKeys: Type.Array(Uuid),
  ...trackedFields,
}, {
  ...closed,
  title: "AiResource",
  description: "A logical endpoint whose name callers send as `model`",
});
/** See the schema of the same name. */
export type AiResource = Type.Static<typeof AiResource>;

/** Body that creates a resource. */
export const AiResourceCreate = Type.Object({
  name: Name,
  description: Type.Optional(nullable(Description)),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  model: ModelSlotInput,
  secondaryModels: Type.Optional(Type.Array(ModelSlotInput, { maxItems: 50 })),
  fallbackModels: Type.Optional(Type.Array(ModelSlotInput, { maxItems: 20 })),
  useFallback: Type.Optional(useFallback),
  routing: Type.Optional(nullable(RoutingInput)),
  capacity: Type.Optional(CapacityList),
  enforceCapacity: Type.Optional(Type.Boolean({ default: false })),
  defaultArgs: Type.Optional(nullable(Type.Unsafe<Record<string, unknown>>({
    type: "object",
    additionalProperties: true,
    description:
      "Merged under every request body; at most 64 KiB; may not hold `model`, `stream` or `vmx`",
  }))),
  onLoss: Type.Optional(onLoss),
  assignApiKeys: Type.Optional(Type.Array(Uuid, {
    maxItems: 1000,
    uniqueItems: true,
    description: "API keys assigned to the resource; replaces the set",
  })),
}, { ...closed, title: "AiResourceCreate", description: "A new AI resource" });
/** See the schema of the same name. */
export type AiResourceCreate = Type.Static<typeof AiResourceCreate>;

const {
  name: _name,
  model: _model,
  ...withoutSlot
} = AiResourceCreate.properties;

/** Body that changes a resource. The members of `model` and `routing` merge; lists are replaced. */
export const AiResourcePatch = patchOf(
  Type.Object({
    name: Name,
    model: patchOf(ModelSlotInput),
    ...withoutSlot,
    routing: Type.Optional(nullable(RoutingPatch)),
  }, closed),
  {
    title: "AiResourcePatch",
    description:
      "Changes of an AI resource; the members of `model` and `routing` merge, lists are replaced",
  },
);
/** See the schema of the same name. */
export type AiResourcePatch = Type.Static<typeof AiResourcePatch>;
