import Type from "typebox";
import { closed, nullable } from "./field.ts";
import { ModelSlot } from "./model-slot.ts";

const value = Type.Unknown({
  description:
    "Cut to 256 characters; `{length}` when it holds text of messages that is not to be stored",
});
const action = Type.Enum(["CALL_MODEL", "BLOCK"]);

/** One condition as it was evaluated. */
export const RoutingTraceCondition = Type.Object({
  path: Type.String({ description: "Position in nested groups, from 0, such as `1.2`" }),
  label: Type.Optional(Type.String()),
  left: Type.Optional(value),
  comparator: Type.String(),
  right: Type.Optional(value),
  result: Type.Union([Type.Boolean(), Type.Literal("not_evaluated")]),
  durationUs: Type.Number(),
  error: Type.Optional(Type.String()),
}, { ...closed, title: "RoutingTraceCondition" });
/** See the schema of the same name. */
export type RoutingTraceCondition = Type.Static<typeof RoutingTraceCondition>;

/** One route as it was evaluated. */
export const RoutingTraceRoute = Type.Object({
  routeId: Type.String(),
  description: nullable(Type.String()),
  enabled: Type.Boolean(),
  mode: Type.Enum(["UI", "ADVANCED"]),
  operator: Type.Enum(["AND", "OR"]),
  result: Type.Enum([
    "matched",
    "not_matched",
    "disabled",
    "traffic_miss",
    "skipped",
    "error",
  ]),
  traffic: Type.Optional(nullable(Type.Number())),
  draw: Type.Optional(Type.Number({ description: "The number drawn from [0, 100)" })),
  error: Type.Optional(Type.String()),
  durationUs: Type.Number(),
  conditions: Type.Optional(Type.Array(RoutingTraceCondition)),
}, { ...closed, title: "RoutingTraceRoute" });
/** See the schema of the same name. */
export type RoutingTraceRoute = Type.Static<typeof RoutingTraceRoute>;

/** How routing reached its decision. */
export const RoutingTrace = Type.Object({
  evaluated: Type.Boolean(),
  skippedReason: Type.Optional(Type.String({
    description: "Why routing, or what is left of it, did not run",
  })),
  durationMs: Type.Number(),
  revision: Type.Integer(),
  selected: nullable(Type.Object({
    routeId: Type.String(),
    description: nullable(Type.String()),
    action,
    slot: nullable(ModelSlot),
  }, closed)),
  routes: Type.Array(RoutingTraceRoute),
}, { ...closed, title: "RoutingTrace", description: "How routing reached its decision" });
/** See the schema of the same name. */
export type RoutingTrace = Type.Static<typeof RoutingTrace>;
