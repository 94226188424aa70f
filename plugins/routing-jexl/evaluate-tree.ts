import {
  budgetSpent,
  type ConditionTrace,
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
}

const noTime = (): number => 0;

/** Evaluates a tree and traces its parts. Never throws. */
export function evaluateTree(
  tree: ConditionTree,
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
  const matched = visit(tree, run, true);
  const { conditions, error } = run;
  return error === undefined ? { matched, conditions } : { matched: false, error, conditions };
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
  const { comparator, label, leftIsPlain, path, rightIsPlain } = part;
  const shown = { path, label, comparator, leftIsPlain, rightIsPlain };
  const isLeftOut = !counts || run.error !== undefined;
  if (run.isSpent || isLeftOut && !run.evaluateAll) {
    run.conditions.push({ ...shown, ...notEvaluated });
    return false;
  }
  const start = run.monotonic();
  const durationUs = () => (run.monotonic() - start) * 1000;
  try {
    const left = part.left(run.facts);
    const right = part.right?.(run.facts);
    const result = part.decide(left, right);
    run.conditions.push({ ...shown, left, right, result, durationUs: durationUs() });
    return result;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : budgetSpent;
    run.isSpent = thrown === spent;
    if (!isLeftOut || run.isSpent) run.error ??= error;
    run.conditions.push({
      ...shown,
      ...notEvaluated,
      result: false,
      durationUs: durationUs(),
      error,
    });
    return false;
  }
}

const notEvaluated = {
  left: undefined,
  right: undefined,
  result: "not_evaluated",
  durationUs: 0,
} as const;
