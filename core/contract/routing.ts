import type { Json, JsonObject } from "./json.ts";

/** Compiles routing rules to closures when they are saved and when a snapshot is built. */
export interface RoutingEvaluator {
  /** Throws `EXPRESSION_INVALID` with route, position and cause. */
  compile(rule: JsonObject): CompiledRule;
}

/** A compiled rule: evaluated synchronously, never waits, never throws. */
export interface CompiledRule {
  evaluate(facts: RoutingFacts, options?: { readonly evaluateAll?: boolean }): RuleResult;
}

/** What rules can see: variables by path and functions by name. Values are plain JSON. */
export interface RoutingFacts {
  variable(path: readonly string[]): Json | undefined;
  call(name: string, args: readonly (Json | undefined)[]): Json | undefined;
  /** Counts one evaluation step; answers false when the budget is spent. */
  step(): boolean;
}

/** The verdict with its reasons. */
export interface RuleResult {
  readonly matched: boolean;
  readonly error?: string;
  readonly conditions: readonly ConditionTrace[];
}

/** One condition as it was evaluated. */
export interface ConditionTrace {
  /** Position in nested groups, such as `1.2`. */
  readonly path: string;
  readonly label?: string;
  readonly left: Json | undefined;
  readonly comparator: string;
  readonly right: Json | undefined;
  readonly result: boolean | "not_evaluated";
  readonly durationUs: number;
  readonly error?: string;
}
