import type { Json, JsonObject } from "./json.ts";

/** Compiles routing rules to closures when they are saved and when a snapshot is built. */
export interface RoutingEvaluator {
  /**
   * Compiles one route in its stored form.
   *
   * Throws `EXPRESSION_INVALID` whose faults name the member by JSON pointer from the route on, such as
   * `/conditions/0/expression`, with position and cause in the message.
   */
  compile(rule: JsonObject): CompiledRule;
}

/** A compiled rule: evaluated synchronously, never waits, never throws. */
export interface CompiledRule {
  evaluate(facts: RoutingFacts, options?: RuleOptions): RuleResult;
}

/** How a rule is to be evaluated. */
export interface RuleOptions {
  /** Evaluates every condition, also those behind a short circuit; the verdict stays the same. */
  readonly evaluateAll?: boolean | undefined;
  /** Monotonic milliseconds, for durations; without it all durations are 0. */
  readonly monotonic?: () => number;
  /** A reading just taken: with it an evaluator starts from there and reads the clock once less. */
  readonly startedAt?: number | undefined;
}

/** What rules can see: variables by path and functions by name. Values are plain JSON without prototypes, frozen. */
export interface RoutingFacts {
  /** A variable of `routingVariables`; undefined when it is absent. A name below a list reads its first element. */
  variable(path: readonly string[]): Json | undefined;
  /** A function of `routingFunctions`. Throws an Error, with no value in its message, for arguments it cannot take. */
  call(name: string, args: readonly (Json | undefined)[]): Json | undefined;
  /** Counts evaluation steps, one if not said; answers false when the budget is spent. */
  step(count?: number): boolean;
}

/** The verdict with its reasons. */
export interface RuleResult {
  readonly matched: boolean;
  /** Why the rule, or one of its conditions, could not be evaluated. */
  readonly error?: string | undefined;
  readonly conditions: readonly ConditionTrace[];
  /** The clock's last reading, if there was one. */
  readonly endedAt?: number | undefined;
}

/** One condition as it was evaluated. */
export interface ConditionTrace {
  /** Position in nested groups, from 0, such as `1.2`. */
  readonly path: string;
  readonly label?: string | undefined;
  readonly left: Json | undefined;
  readonly comparator: string;
  readonly right: Json | undefined;
  readonly result: boolean | "not_evaluated";
  readonly durationUs: number;
  readonly error?: string | undefined;
  /** True when the left value cannot hold text of the caller's messages; only then it is stored in any case. */
  readonly leftIsPlain?: boolean;
  /** The same of the right value. */
  readonly rightIsPlain?: boolean;
}

/** The error of a rule whose evaluation ended because the budget is spent. */
export const budgetSpent = "the evaluation budget is spent";

/**
 * Variables rules can read, by their first name: the members they have, or `any` where members depend on the
 * request, or `value` for a variable without members.
 */
export const routingVariables = {
  tokens: ["input"],
  requestTokens: "value",
  hasTools: "value",
  hasImages: "value",
  hasFiles: "value",
  request: "any",
  metadata: "any",
  apiKey: ["name", "labels"],
  sourceIp: "value",
  resource: ["name", "model"],
  now: ["hour", "minute", "weekday", "date"],
} as const satisfies Readonly<Record<string, "any" | "value" | readonly string[]>>;

/** Members of `request` that tell nothing of what the caller's messages say. */
export const plainRequestMembers: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "temperature",
  "user",
  "metadata",
  "format",
  "messagesCount",
  "toolsCount",
  "hasTools",
  "hasImages",
  "hasFiles",
]);

/** How a function of rules is called. */
export interface RoutingFunction {
  /** Fewest and most arguments. */
  readonly min: number;
  readonly max: number;
  /** True for functions that read live values; the others can also be written behind a `|`. */
  readonly live?: true;
}

/** Functions rules can call. */
export const routingFunctions: Readonly<Record<string, RoutingFunction>> = {
  errorRate: { min: 0, max: 4, live: true },
  capacityUsage: { min: 0, max: 3, live: true },
  latency: { min: 0, max: 4, live: true },
  matches: { min: 2, max: 2 },
  contains: { min: 2, max: 2 },
  startsWith: { min: 2, max: 2 },
  endsWith: { min: 2, max: 2 },
  lower: { min: 1, max: 1 },
  upper: { min: 1, max: 1 },
  length: { min: 1, max: 1 },
  number: { min: 1, max: 1 },
  hash: { min: 2, max: 2 },
};
