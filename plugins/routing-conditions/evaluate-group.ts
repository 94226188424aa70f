import {
  budgetSpent,
  type ConditionTrace,
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
}

/** A search counts as many steps as make the budget look at the clock. */
const patternSteps = 16;

const noTime = (): number => 0;

/** Evaluates a rule and traces its conditions. Never throws. */
export function evaluateGroup(
  group: Group,
  facts: RoutingFacts,
  { evaluateAll = false, monotonic = noTime }: RuleOptions = {},
): RuleResult {
  const run: Run = {
    facts,
    evaluateAll,
    monotonic,
    conditions: [],
    error: undefined,
    isSpent: false,
  };
  const matched = visit(group, run, true) && !run.isSpent;
  const { conditions, error } = run;
  return error === undefined ? { matched, conditions } : { matched, error, conditions };
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
  const { comparator, label, leftIsPlain, path, right } = condition;
  const trace = (
    left: ConditionTrace["left"],
    result: ConditionTrace["result"],
    startedAt: number | undefined,
    error?: string,
  ): void => {
    const durationUs = startedAt === undefined ? 0 : (run.monotonic() - startedAt) * 1000;
    run.conditions.push({
      path,
      ...(label === undefined ? {} : { label }),
      left,
      comparator,
      right,
      result,
      durationUs,
      ...(error === undefined ? {} : { error }),
      leftIsPlain,
      rightIsPlain: true,
    });
  };
  if (run.isSpent || !counts && !run.evaluateAll) {
    trace(undefined, "not_evaluated", undefined);
    return false;
  }
  const startedAt = run.monotonic();
  try {
    if (!run.facts.step()) throw new Error(budgetSpent);
    const left = condition.left(run.facts);
    const result = condition.decide(left);
    // A search can take long: what comes next looks at the clock.
    if (comparator === "PATTERN") run.facts.step(patternSteps);
    trace(left, result, startedAt);
    return result;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    run.isSpent = error === budgetSpent;
    if (counts || run.isSpent) run.error ??= error;
    trace(undefined, false, startedAt, error);
    return false;
  }
}
