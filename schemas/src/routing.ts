import Type from "typebox";
import { closed, nullable } from "./field.ts";
import { ModelSlot, ModelSlotInput } from "./model-slot.ts";

/** Most routes of a resource. */
export const maxRoutes = 100;
/** Most conditions of all routes of a resource. */
export const maxRoutingConditions = 200;
/** Deepest nesting of groups; a route is the first. */
export const maxRoutingDepth = 5;

/** How a condition compares. */
export const routingComparators = [
  "EQUAL",
  "NOT_EQUAL",
  "GREATER_THAN",
  "GREATER_THAN_OR_EQUAL",
  "LESS_THAN",
  "LESS_THAN_OR_EQUAL",
  "CONTAINS",
  "NOT_CONTAINS",
  "STARTS_WITH",
  "ENDS_WITH",
  "PATTERN",
  "IN",
  "NOT_IN",
  "EXISTS",
] as const;
/** See `routingComparators`. */
export type RoutingComparator = typeof routingComparators[number];

/** How the right side of a condition is written. */
export const routingValueTypes = [
  "string",
  "number",
  "boolean",
  "comma-delimited-list",
  "json-object",
  "json-array",
] as const;
/** See `routingValueTypes`. */
export type RoutingValueType = typeof routingValueTypes[number];

const id = Type.String({ minLength: 1, maxLength: 64, pattern: "^[^\\p{Cc}]+$" });
const label = Type.String({ maxLength: 200, description: "Shown in traces" });
const enabled = Type.Boolean({ description: "False leaves it out" });
const operator = Type.Enum(["AND", "OR"]);

/** One comparison. */
export const RoutingCondition = Type.Object({
  type: Type.Literal("condition"),
  id,
  label: Type.Optional(label),
  enabled,
  expression: Type.String({
    minLength: 1,
    maxLength: 4096,
    description: "The left side: a path such as `tokens.input`, or an expression",
  }),
  comparator: Type.Enum([...routingComparators]),
  value: Type.Object({
    type: Type.Enum([...routingValueTypes]),
    expression: Type.Optional(Type.String({
      maxLength: 16_384,
      description: "The right side as text; without it only EXISTS can be true",
    })),
  }, closed),
  window: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: 180,
    description: "Minutes an error rate was asked for",
  })),
}, { ...closed, title: "RoutingCondition", description: "One comparison of a routing rule" });
/** See the schema of the same name. */
export type RoutingCondition = Type.Static<typeof RoutingCondition>;

/** Conditions joined by AND or OR. */
export interface RoutingGroup {
  type: "group";
  id: string;
  label?: string;
  enabled: boolean;
  operator: "AND" | "OR";
  conditions: (RoutingCondition | RoutingGroup)[];
}

/** Groups down to the deepest level; written out, because generators stumble over recursion. */
function members(depth: number): Type.TUnsafe<(RoutingCondition | RoutingGroup)[]> {
  const group = Type.Object({
    type: Type.Literal("group"),
    id,
    label: Type.Optional(label),
    enabled,
    operator,
    conditions: depth < maxRoutingDepth ? members(depth + 1) : Type.Array(RoutingCondition),
  }, closed);
  return Type.Unsafe(Type.Array(Type.Union([RoutingCondition, group])));
}

const traffic = nullable(Type.Number({
  minimum: 0,
  maximum: 100,
  description: "Percent of the matching requests; null means all",
}));

/** The slot a route leads to. */
export const RoutingTarget = Type.Object({
  ...ModelSlot.properties,
  traffic,
}, { ...closed, title: "RoutingTarget", description: "The model slot a route leads to" });
/** See the schema of the same name. */
export type RoutingTarget = Type.Static<typeof RoutingTarget>;

/** The slot a route leads to, as sent. */
export const RoutingTargetInput = Type.Object({
  ...ModelSlotInput.properties,
  traffic: Type.Optional(traffic),
}, { ...closed, title: "RoutingTargetInput", description: "The model slot a route leads to" });
/** See the schema of the same name. */
export type RoutingTargetInput = Type.Static<typeof RoutingTargetInput>;

/** One rule with what follows from it. */
export const RoutingRoute = Type.Object({
  type: Type.Literal("group"),
  id,
  description: nullable(Type.String({
    maxLength: 200,
    description: "Shown in traces and in the message of a blocked request",
  })),
  enabled,
  mode: Type.Enum(["UI", "ADVANCED"], {
    description: "UI: conditions decide; ADVANCED: the expression does",
  }),
  operator,
  conditions: Type.Optional(members(2)),
  expression: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
  action: Type.Enum(["CALL_MODEL", "BLOCK"]),
  then: nullable(RoutingTarget),
}, { ...closed, title: "RoutingRoute", description: "One rule with what follows from it" });
/** See the schema of the same name. */
export type RoutingRoute = Type.Static<typeof RoutingRoute>;

/** The rules of a resource as stored. */
export const Routing = Type.Object({
  enabled: Type.Boolean(),
  conditions: Type.Array(RoutingRoute, { maxItems: maxRoutes }),
}, {
  ...closed,
  title: "Routing",
  description: "The rules of a resource, in order; the first that matches decides",
});
/** See the schema of the same name. */
export type Routing = Type.Static<typeof Routing>;
