import type { Json } from "@vmx/core/contract";
import { compileNode, type Evaluate } from "./compile.ts";
import { type Node, writeNode } from "./node.ts";
import { isTrue, operators } from "./operators.ts";
import { isPlain } from "./plainness.ts";

/** An expression taken apart at its outer boolean operators, so that a trace can tell each part's value. */
export type ConditionTree =
  | { readonly type: "and" | "or"; readonly parts: readonly ConditionTree[] }
  | { readonly type: "not"; readonly part: ConditionTree }
  | Part;

/** A part of an expression that is traced as one condition. */
export interface Part {
  readonly type: "part";
  /** Position in nested operators, from 0, such as `1.2`. */
  readonly path: string;
  readonly label: string;
  readonly comparator: string;
  readonly left: Evaluate;
  readonly leftIsPlain: boolean;
  /** Absent when the part is no comparison: then its left value decides. */
  readonly right?: Evaluate;
  readonly rightIsPlain: boolean;
  decide(left: Json | undefined, right: Json | undefined): boolean;
}

const maxLabelLength = 200;

/** Takes a checked expression apart and compiles its parts. Throws an `ExpressionFault`. */
export function conditionTree(node: Node, path: readonly number[] = []): ConditionTree {
  if (node.type === "not" && isBoolean(node.operand)) {
    return { type: "not", part: conditionTree(node.operand, path) };
  }
  if (node.type === "binary" && (node.operator === "&&" || node.operator === "||")) {
    const parts = flatten(node, node.operator)
      .map((part, index) => conditionTree(part, [...path, index]));
    return { type: node.operator === "&&" ? "and" : "or", parts };
  }
  return partOf(node, path.length === 0 ? "0" : path.join("."));
}

function isBoolean(node: Node): boolean {
  return node.type === "not" ||
    node.type === "binary" && (node.operator === "&&" || node.operator === "||");
}

/** `a && b && c` is one list, however it nests. */
function flatten(node: Node, operator: "&&" | "||"): Node[] {
  if (node.type !== "binary" || node.operator !== operator) return [node];
  return [...flatten(node.left, operator), ...flatten(node.right, operator)];
}

function partOf(node: Node, path: string): Part {
  const text = writeNode(node);
  const label = text.length > maxLabelLength ? `${text.slice(0, maxLabelLength - 1)}…` : text;
  const shown = { type: "part", path, label } as const;
  if (node.type === "binary" && comparisons.has(node.operator)) {
    const apply = operators[node.operator as keyof typeof operators];
    return {
      ...shown,
      comparator: node.operator,
      left: compileNode(node.left),
      leftIsPlain: isPlain(node.left),
      right: compileNode(node.right),
      rightIsPlain: isPlain(node.right),
      decide: (left, right) => apply(left, right) === true,
    };
  }
  return {
    ...shown,
    comparator: "true",
    left: compileNode(node),
    leftIsPlain: isPlain(node),
    rightIsPlain: true,
    decide: isTrue,
  };
}

const comparisons: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">=", "in"]);
