import {
  budgetSpent,
  type ConditionTrace,
  type Json,
  type RoutingFacts,
  type RuleOptions,
  type RuleResult,
} from "@vmx/core/contract";
import type { Condition } from "./condition.ts";
import type { Group } from "./group.ts";

/** One evaluation of a rule. */
interface Run {
  readonly facts: RoutingFacts;
  readonly evaluateAll: boolean;
  readonly monotonic: () => number;
  readonly conditions: ConditionTrace[];
  error: string | undefined;
  isSpent: boolean;
  /** The clock's last reading: one condition ends where the next begins. */
  readAt: number;
}

/** A search counts as many steps as make the budget look at the clock. */
const patternSteps = 16;

const noTime = (): number => 0;

/** Evaluates a rule and traces its conditions. Never throws. */
export function evaluateGroup(
  group: Group,
  facts: RoutingFacts,
  { evaluateAll = false, monotonic = noTime, startedAt = monotonic() }: RuleOptions = {},
): RuleResult {
  const run: Run = {
    facts,
    evaluateAll,
    monotonic,
    conditions: [],
    error: undefined,
    isSpent: false,
    readAt: startedAt,
  };
  const matched = visit(group, run, true) && !run.isSpent;
  return { matched, error: run.error, conditions: run.conditions, endedAt: run.readAt };
}

/** @param counts false for what a short circuit leaves out */
function visit(node: Group | Condition, run: Run, counts: boolean): boolean {
  if (node.type === "condition") return evaluateCondition(node, run, counts);
  const goesOn = node.operator === "AND";
  let result = goesOn;
  let decided = false;
  for (const member of node.members) {
    const value = visit(member, run, counts && !decided);
    if (decided) continue;
    result = value;
    decided = value !== goesOn;
  }
  return result;
}

/** A condition that cannot be evaluated is false; the rest of its rule goes on. */
function evaluateCondition(condition: Condition, run: Run, counts: boolean): boolean {
  if (run.isSpent || !counts && !run.evaluateAll) {
    run.conditions.push(traceOf(condition, undefined, "not_evaluated", 0));
    return false;
  }
  const { facts } = run;
  let left: Json | undefined;
  let result = false;
  let error: string | undefined;
  try {
    if (!facts.step()) throw new Error(budgetSpent);
    left = condition.left(facts);
    result = condition.decide(left);
    // A search can take long: what comes next looks at the clock.
    if (condition.comparator === "PATTERN") facts.step(patternSteps);
  } catch (thrown) {
    left = undefined;
    error = thrown instanceof Error ? thrown.message : String(thrown);
    run.isSpent = error === budgetSpent;
    if (counts || run.isSpent) run.error ??= error;
  }
  run.conditions.push(
    traceOf(condition, left, result, passedUs(run), error),
  );
  return result;
}

/** Microseconds since the clock was last read. */
function passedUs(run: Run): number {
  const before = run.readAt;
  run.readAt = run.monotonic();
  return (run.readAt - before) * 1000;
}

/** Every trace has the same members in the same order, absent ones undefined: that is several times as fast. */
function traceOf(
  { comparator, label, leftIsPlain, path, right }: Condition,
  left: Json | undefined,
  result: ConditionTrace["result"],
  durationUs: number,
  error?: string,
): ConditionTrace {
  return {
    path,
    label,
    left,
    comparator,
    right,
    result,
    durationUs,
    error,
    leftIsPlain,
    rightIsPlain: true,
  };
}
