import Type from "typebox";
import { closed, nullable, patchOf } from "./field.ts";
import { maxRoutes, RoutingTargetInput } from "./routing.ts";

/** Members of a condition or group as sent, in either spelling. */
const condition = Type.Unsafe<Record<string, unknown>>({
  type: "object",
  additionalProperties: true,
  description:
    "A condition `{expression, comparator, value: {type, expression}}` or `{field, operator, value, window}`, " +
    "or a group `{operator, conditions}`",
});
const word = Type.String({ maxLength: 32 });

/** A route as sent. */
export const RoutingRouteInput = Type.Object({
  type: Type.Optional(word),
  id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  description: Type.Optional(nullable(Type.String({ maxLength: 200 }))),
  enabled: Type.Optional(nullable(Type.Boolean())),
  mode: Type.Optional(nullable(word)),
  operator: Type.Optional(nullable(word)),
  conditions: Type.Optional(Type.Array(condition)),
  if: Type.Optional(Type.Array(condition, { description: "Another spelling of `conditions`" })),
  expression: Type.Optional(nullable(Type.String())),
  action: Type.Optional(nullable(word)),
  then: Type.Optional(nullable(RoutingTargetInput)),
}, { ...closed, title: "RoutingRouteInput", description: "A route, in either spelling" });
/** See the schema of the same name. */
export type RoutingRouteInput = Type.Static<typeof RoutingRouteInput>;

/** The rules of a resource as sent. */
export const RoutingInput = Type.Object({
  enabled: Type.Optional(nullable(Type.Boolean({ description: "Rules run only when it is true" }))),
  mode: Type.Optional(nullable(Type.String({
    maxLength: 32,
    description: "The mode of every route without its own",
  }))),
  conditions: Type.Optional(Type.Array(RoutingRouteInput, { maxItems: maxRoutes })),
}, {
  ...closed,
  title: "RoutingInput",
  description:
    "The rules of a resource, in order, in either spelling; answers have the stored form",
});
/** See the schema of the same name. */
export type RoutingInput = Type.Static<typeof RoutingInput>;

/** Changes of the rules of a resource: absent members stay, the list of routes is replaced. */
export const RoutingPatch = patchOf(RoutingInput, {
  title: "RoutingPatch",
  description: "Changes of the rules of a resource; the list of routes is replaced as a whole",
});
/** See the schema of the same name. */
export type RoutingPatch = Type.Static<typeof RoutingPatch>;
