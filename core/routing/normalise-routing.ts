import { randomUUID } from "node:crypto";
import { maxRoutes, type Routing, type RoutingRoute, type RoutingTargetInput } from "@vmx/schemas";
import { createFaults, type Faults, nameOf, type Place } from "./faults.ts";
import { readConditions, readExpression, readId, type Reading } from "./normalise-condition.ts";
import { type Members, readMembers } from "./read-members.ts";

/** A route in its stored form, but for its slot, which is still as it was sent. */
export interface NormalisedRoute extends Omit<RoutingRoute, "then"> {
  then: (RoutingTargetInput & { traffic: number | null }) | null;
}

/** A routing block in its stored form, but for its slots. */
export interface NormalisedRouting extends Omit<Routing, "conditions"> {
  conditions: NormalisedRoute[];
}

/** What `normaliseRouting` takes beside its input. */
export interface NormaliseOptions {
  /** Makes the id of a route, group or condition that came without one. */
  readonly createId?: () => string;
}

/**
 * Turns a routing block of either spelling into its stored form. The slots of `then` are checked for their shape
 * alone: references are resolved like those of any slot. Expressions are compiled by `compileRouting`.
 *
 * Throws one GatewayError with all faults, each at the member as it was spelled: `VALIDATION_FAILED`,
 * `EXPRESSION_INVALID` for template marks and sizes of expressions, `invalid_request` for a missing slot.
 */
export function normaliseRouting(
  input: unknown,
  { createId = randomUUID }: NormaliseOptions = {},
): NormalisedRouting {
  const place: Place = ["routing"];
  const faults = createFaults();
  const reading: Reading = { faults, createId, conditions: 0 };
  const members = readMembers(input, place, faults);
  members?.only(["enabled", "mode", "conditions"]);
  const mode = members?.word("mode", modes);
  const routes = members?.list("conditions") ?? [];
  if (routes.length > maxRoutes) {
    faults.add([...place, "conditions"], `has ${routes.length} routes; at most ${maxRoutes}`);
    faults.throwAny();
  }
  const conditions = routes.flatMap((route, index) => {
    const read = readRoute(route, [...place, "conditions", index], mode, reading);
    return read ? [read] : [];
  });
  const enabled = members?.flag("enabled") ?? false;
  refuseEqualIds(conditions, place, faults);
  faults.throwAny();
  return { enabled, conditions };
}

const modes = ["UI", "ADVANCED"] as const;
const maxDescriptionLength = 200;

function readRoute(
  value: unknown,
  place: Place,
  defaultMode: typeof modes[number] | undefined,
  reading: Reading,
): NormalisedRoute | undefined {
  const members = readMembers(value, place, reading.faults);
  if (!members) return undefined;
  members.only(routeMembers);
  members.word("type", ["group"]);
  const enabled = members.flag("enabled") ?? true;
  const action = members.word("action", ["CALL_MODEL", "BLOCK"]) ?? "CALL_MODEL";
  const mode = modeOf(members, defaultMode);
  const stored = {
    type: "group",
    id: readId(members, reading),
    description: members.text("description", maxDescriptionLength) ?? null,
    enabled,
    mode,
    operator: members.word("operator", ["AND", "OR"]) ?? "AND",
  } as const;
  const rule = readRule(members, mode, place, reading);
  const then = action === "BLOCK" ? null : readTarget(members, place, enabled, reading.faults);
  return { ...stored, ...rule, action, then };
}

const routeMembers = [
  "type",
  "id",
  "description",
  "enabled",
  "mode",
  "operator",
  "conditions",
  "if",
  "expression",
  "action",
  "then",
];

/** The route's own mode; else what it holds decides, and where it holds both, the mode of the whole block. */
function modeOf(
  members: Members,
  defaultMode: typeof modes[number] | undefined,
): typeof modes[number] {
  const own = members.word("mode", modes);
  if (own) return own;
  const hasConditions = members.has("conditions") || members.has("if");
  if (members.has("expression") !== hasConditions) return hasConditions ? "UI" : "ADVANCED";
  return defaultMode ?? "UI";
}

function readRule(
  members: Members,
  mode: typeof modes[number],
  place: Place,
  reading: Reading,
): Pick<NormalisedRoute, "conditions" | "expression"> {
  if (mode === "ADVANCED") {
    const expression = readExpression(members, "expression", place, reading);
    return expression === undefined ? {} : { expression };
  }
  if (!members.has("conditions") && !members.has("if")) {
    reading.faults.add([...place, "conditions"], "is required");
  }
  return { conditions: readConditions(members, place, 2, reading) };
}

/** A disabled route may have lost its slot together with the connection. */
function readTarget(
  members: Members,
  place: Place,
  enabled: boolean,
  faults: Faults,
): NormalisedRoute["then"] {
  const at = [...place, "then"];
  const sent = members.raw("then");
  if (sent === undefined) {
    if (enabled) {
      const message = "a slot with a connection and a model is required";
      faults.add(at, message, "invalid_request", nameOf(at));
    }
    return null;
  }
  const target = readMembers(sent, at, faults);
  if (!target) return null;
  const traffic = target.raw("traffic") ?? null;
  if (traffic !== null && !(typeof traffic === "number" && traffic >= 0 && traffic <= 100)) {
    faults.add([...at, "traffic"], "must be a number from 0 to 100, or null for all");
    return null;
  }
  return { ...(sent as RoutingTargetInput), traffic };
}

function refuseEqualIds(routes: readonly NormalisedRoute[], place: Place, faults: Faults): void {
  const seen = new Set<string>();
  routes.forEach(({ id }, index) => {
    if (seen.has(id)) {
      faults.add([...place, "conditions", index, "id"], "is the id of another route, too");
    }
    seen.add(id);
  });
}
