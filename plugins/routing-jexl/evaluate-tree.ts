import {
  budgetSpent,
  type ConditionTrace,
  type Json,
  type RoutingFacts,
  type RuleOptions,
  type RuleResult,
} from "@vmx/core/contract";
import { spent } from "./compile.ts";
import type { ConditionTree, Part } from "./condition-tree.ts";

/** One evaluation of a tree. */
interface Run {
  readonly facts: RoutingFacts;
  readonly evaluateAll: boolean;
  readonly monotonic: () => number;
  readonly conditions: ConditionTrace[];
  /** Set by the first part that counts and cannot be evaluated: the rule does not match. */
  error: string | undefined;
  isSpent: boolean;
  /** The clock's last reading: one condition ends where the next begins. */
  readAt: number;
}

const noTime = (): number => 0;

/** Evaluates a tree and traces its parts. Never throws. */
export function evaluateTree(
  tree: ConditionTree,
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
  const matched = visit(tree, run, true);
  const { conditions, error, readAt } = run;
  return { matched: matched && error === undefined, error, conditions, endedAt: readAt };
}

/** @param counts false for what a short circuit or an error leaves out */
function visit(tree: ConditionTree, run: Run, counts: boolean): boolean {
  if (tree.type === "part") return evaluatePart(tree, run, counts);
  if (tree.type === "not") return !visit(tree.part, run, counts);
  const goesOn = tree.type === "and";
  let result = goesOn;
  let decided = false;
  for (const part of tree.parts) {
    const value = visit(part, run, counts && !decided);
    if (decided) continue;
    result = value;
    decided = value !== goesOn;
  }
  return result;
}

function evaluatePart(part: Part, run: Run, counts: boolean): boolean {
  const isLeftOut = !counts || run.error !== undefined;
  if (run.isSpent || isLeftOut && !run.evaluateAll) {
    run.conditions.push(traceOf(part, undefined, undefined, "not_evaluated", 0));
    return false;
  }
  const { facts } = run;
  let left: Json | undefined;
  let right: Json | undefined;
  let result = false;
  let error: string | undefined;
  try {
    left = part.left(facts);
    right = part.right?.(facts);
    result = part.decide(left, right);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
    run.isSpent = thrown === spent || error === budgetSpent;
    if (!isLeftOut || run.isSpent) run.error ??= error;
  }
  run.conditions.push(
    traceOf(part, left, right, result, passedUs(run), error),
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
  { comparator, label, leftIsPlain, path, rightIsPlain }: Part,
  left: Json | undefined,
  right: Json | undefined,
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
    rightIsPlain,
  };
}
