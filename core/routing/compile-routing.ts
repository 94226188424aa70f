import type { RoutingRoute, RoutingTarget } from "@vmx/schemas";
import {
  type CompiledRule,
  GatewayError,
  type JsonObject,
  type RoutingEvaluator,
} from "../contract/index.ts";
import { createFaults, type Faults, type Place } from "./faults.ts";

/** The evaluator of each mode; a mode whose plugin is away has none. */
export type RoutingEvaluators = Readonly<
  Record<RoutingRoute["mode"], RoutingEvaluator | undefined>
>;

/** A routing block ready to be evaluated. */
export interface CompiledRouting {
  readonly enabled: boolean;
  readonly routes: readonly CompiledRoute[];
}

/** A route ready to be evaluated. */
export interface CompiledRoute {
  readonly routeId: string;
  readonly description: string | null;
  /** False also for a route whose every condition is disabled, and for one that has lost its slot. */
  readonly enabled: boolean;
  readonly mode: RoutingRoute["mode"];
  readonly operator: RoutingRoute["operator"];
  readonly action: RoutingRoute["action"];
  readonly target: RoutingTarget | null;
  /** A rule, or why there is none. */
  readonly rule: CompiledRule | string;
}

/** A stored routing block, or one whose slots are not resolved yet. */
export interface RoutingToCompile {
  readonly enabled: boolean;
  readonly conditions: readonly (Omit<RoutingRoute, "then"> & { readonly then: unknown })[];
}

/**
 * Compiles a routing block to closures, disabled routes too.
 *
 * Throws `EXPRESSION_INVALID` with a fault for every rule that is refused; its path starts at `/routing`.
 */
export function compileRouting(
  routing: RoutingToCompile,
  evaluators: RoutingEvaluators,
): CompiledRouting {
  const faults = createFaults();
  const compiled = compileAll(routing, evaluators, faults);
  faults.throwAny();
  return compiled;
}

/**
 * Compiles a block that has been accepted before. A rule that is refused all the same (its plugin is away, or has
 * become stricter) never matches and says why in each trace; the others go on.
 */
export function compileStoredRouting(
  routing: RoutingToCompile,
  evaluators: RoutingEvaluators,
): CompiledRouting {
  return compileAll(routing, evaluators, createFaults());
}

/** Compiles each stored block at its first use and remembers it as long as the block itself lives. */
export function createRoutingCache(
  evaluators: () => RoutingEvaluators,
): (routing: RoutingToCompile) => CompiledRouting {
  const compiled = new WeakMap<RoutingToCompile, CompiledRouting>();
  return (routing) => {
    let known = compiled.get(routing);
    if (!known) compiled.set(routing, known = compileStoredRouting(routing, evaluators()));
    return known;
  };
}

function compileAll(
  { enabled, conditions }: RoutingToCompile,
  evaluators: RoutingEvaluators,
  faults: Faults,
): CompiledRouting {
  const routes = conditions.map((route, index): CompiledRoute => ({
    routeId: route.id,
    description: route.description,
    enabled: route.enabled && !isLeftEmpty(route) && (route.action === "BLOCK" || !!route.then),
    mode: route.mode,
    operator: route.operator,
    action: route.action,
    target: route.then as RoutingTarget | null,
    rule: compileRule(route, evaluators[route.mode], ["routing", "conditions", index], faults),
  }));
  return { enabled, routes };
}

function compileRule(
  route: RoutingToCompile["conditions"][number],
  evaluator: RoutingEvaluator | undefined,
  place: Place,
  faults: Faults,
): CompiledRule | string {
  try {
    if (!evaluator) {
      throw new GatewayError(
        "EXPRESSION_INVALID",
        `no plugin evaluates rules of mode ${route.mode}`,
      );
    }
    return evaluator.compile(route as unknown as JsonObject);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const told = error.faults ?? [{ path: "", code: error.code, message: error.message }];
    faults.adopt(place, told);
    return told.map(({ message }) => message).join("; ");
  }
}

/** Whether a group had conditions and all of them, at every depth, are disabled. */
function isLeftEmpty({ conditions = [] }: Pick<RoutingRoute, "conditions">): boolean {
  return conditions.length > 0 &&
    conditions.every((member) => !member.enabled || member.type === "group" && isLeftEmpty(member));
}
