import type { RoutingTrace, RoutingTraceCondition, RoutingTraceRoute } from "@vmx/schemas";
import {
  budgetSpent,
  type ConditionTrace,
  type RoutingFacts,
  type RuleOptions,
  type RuleResult,
} from "../contract/index.ts";
import type { CompiledRoute, CompiledRouting } from "./compile-routing.ts";
import { traceValue } from "./trace-value.ts";

/** How a routing block is to be evaluated. */
export interface EvaluateRoutingOptions {
  /** Draws from [0, 1). */
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Revision of the configuration, for the trace. */
  readonly revision: number;
  /** Evaluates every condition of every route; the decision stays the same. */
  readonly evaluateAll?: boolean | undefined;
  /** Draws from [0, 100) by route, instead of chance. */
  readonly draws?: Readonly<Record<string, number>>;
  /** True when text of messages must not be stored: values that may hold some become `{length}`. */
  readonly hidesMessageText?: boolean;
  /** False leaves the conditions out of the trace. */
  readonly tracesConditions?: boolean;
}

/** What routing decided. */
export interface RoutingDecision {
  /** The route that won; its `action` tells whether it blocks. Null: the primary serves. */
  readonly selected: CompiledRoute | null;
  readonly trace: RoutingTrace;
  /** Rules and conditions that could not be evaluated. */
  readonly errors: number;
}

/**
 * Evaluates the routes in order; the first that matches and wins its draw decides. Every enabled route that
 * matches draws for itself, so shares cascade. Never throws and never waits.
 */
export function evaluateRouting(
  { routes }: CompiledRouting,
  facts: RoutingFacts,
  options: EvaluateRoutingOptions,
): RoutingDecision {
  const { monotonic, evaluateAll = false } = options;
  const startedAt = monotonic();
  let readAt = startedAt;
  const traced: RoutingTraceRoute[] = [];
  let selected: CompiledRoute | null = null;
  let isSpent = false;
  let errors = 0;
  for (const route of routes) {
    const isBehind = selected !== null || isSpent;
    if (!route.enabled) traced.push(traceOf(route, "disabled"));
    else if (isSpent || isBehind && !evaluateAll) {
      traced.push(traceOf(route, "skipped", isSpent ? budgetReason : undefined));
    } else {
      const visited = visit(route, facts, options, isBehind, readAt);
      readAt = visited.endedAt;
      isSpent = visited.isSpent;
      traced.push(visited.trace);
      errors += visited.errors;
      if (visited.trace.result === "matched") selected = route;
    }
  }
  return {
    selected,
    errors,
    trace: {
      evaluated: true,
      ...(isSpent ? { skippedReason: budgetReason } : {}),
      durationMs: round(readAt - startedAt),
      revision: options.revision,
      selected: selected && describe(selected),
      routes: traced,
    },
  };
}

/** The trace of a request whose rules did not run, with the reason. */
export function skippedTrace(reason: string, revision: number): RoutingTrace {
  return {
    evaluated: false,
    skippedReason: reason,
    durationMs: 0,
    revision,
    selected: null,
    routes: [],
  };
}

const budgetReason = "budget";

interface Visited {
  readonly trace: RoutingTraceRoute;
  readonly errors: number;
  readonly isSpent: boolean;
  readonly endedAt: number;
}

/** @param isBehind whether an earlier route has won, so that only the trace is wanted */
function visit(
  route: CompiledRoute,
  facts: RoutingFacts,
  options: EvaluateRoutingOptions,
  isBehind: boolean,
  startedAt: number,
): Visited {
  const { evaluateAll, monotonic, tracesConditions = true } = options;
  const result = ruleResult(route, facts, { evaluateAll, monotonic, startedAt });
  const { matched, error, conditions, endedAt = monotonic() } = result;
  const isSpent = error === budgetSpent;
  const trace = traceOf(route, "not_matched", isSpent ? budgetReason : error);
  if (isBehind || isSpent) trace.result = "skipped";
  else if (!matched) trace.result = error === undefined ? "not_matched" : "error";
  else {
    trace.draw = drawFor(route, options);
    const isSelected = trace.draw === undefined || trace.draw < route.target!.traffic!;
    trace.result = isSelected ? "matched" : "traffic_miss";
  }
  if (tracesConditions) {
    for (const condition of conditions) trace.conditions.push(traceCondition(condition, options));
  }
  trace.durationUs = round((endedAt - startedAt) * 1000);
  return { isSpent, endedAt, trace, errors: isBehind || isSpent || error === undefined ? 0 : 1 };
}

function ruleResult(
  { rule }: CompiledRoute,
  facts: RoutingFacts,
  options: RuleOptions,
): RuleResult {
  if (typeof rule === "string") return { matched: false, error: rule, conditions: [] };
  if (!facts.step()) return { matched: false, error: budgetSpent, conditions: [] };
  try {
    return rule.evaluate(facts, options);
  } catch (error) {
    // A plugin broke its promise; that must not cost the request its answer.
    const reason = error instanceof Error ? error.message : "the rule failed";
    return { matched: false, error: reason, conditions: [] };
  }
}

/** Undefined when the route takes all. */
function drawFor(
  { routeId, target }: CompiledRoute,
  { draws, random }: EvaluateRoutingOptions,
): number | undefined {
  if (target === null || target.traffic === null) return undefined;
  return draws && Object.hasOwn(draws, routeId) ? draws[routeId] : random() * 100;
}

function describe(route: CompiledRoute): RoutingTrace["selected"] {
  const { action, description, routeId, target } = route;
  if (!target) return { routeId, description, action, slot: null };
  const { traffic: _traffic, ...slot } = target;
  return { routeId, description, action, slot };
}

/** Members are always the same, absent ones undefined: objects put together piece by piece cost several times as much. */
function traceOf(
  { description, enabled, mode, operator, routeId, target }: CompiledRoute,
  result: RoutingTraceRoute["result"],
  error?: string,
): RouteTrace {
  return {
    routeId,
    description,
    enabled,
    mode,
    operator,
    result,
    traffic: target?.traffic,
    draw: undefined,
    error,
    durationUs: 0,
    conditions: [],
  };
}

type RouteTrace = RoutingTraceRoute & { conditions: RoutingTraceCondition[] };

function traceCondition(
  condition: ConditionTrace,
  { hidesMessageText = false }: EvaluateRoutingOptions,
): RoutingTraceCondition {
  const { comparator, durationUs, error, label, path, result } = condition;
  return {
    path,
    label,
    left: traceValue(condition.left, !hidesMessageText || condition.leftIsPlain === true),
    comparator,
    right: traceValue(condition.right, !hidesMessageText || condition.rightIsPlain === true),
    result,
    durationUs: round(durationUs),
    error,
  };
}

/** Three digits behind the point are all that a clock can tell. */
function round(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
