import {
  type CompiledRule,
  GatewayError,
  type JsonObject,
  type RoutingEvaluator,
} from "@vmx/core/contract";
import { conditionTree } from "./condition-tree.ts";
import { evaluateTree } from "./evaluate-tree.ts";
import { ExpressionFault, readExpression } from "./expression.ts";

/** Rules kept compiled, so that one sent along with each request is compiled once. */
const maxKept = 500;

/** Rules of mode ADVANCED: one expression each. */
export function createJexlEvaluator(): RoutingEvaluator {
  const kept = new Map<string, CompiledRule>();
  return {
    compile({ expression }: JsonObject): CompiledRule {
      const known = typeof expression === "string" ? kept.get(expression) : undefined;
      if (known) return known;
      const tree = compile(expression);
      const rule: CompiledRule = {
        evaluate: (facts, options) => evaluateTree(tree, facts, options),
      };
      if (kept.size >= maxKept) kept.delete(kept.keys().next().value!);
      kept.set(String(expression), rule);
      return rule;
    },
  };
}

function compile(text: unknown): ReturnType<typeof conditionTree> {
  try {
    if (typeof text !== "string") throw new ExpressionFault("the expression is missing");
    return conditionTree(readExpression(text));
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error;
    const { message, position } = error;
    throw new GatewayError("EXPRESSION_INVALID", `Cannot compile the expression: ${message}`, {
      cause: error,
      faults: [{ path: "/expression", code: "EXPRESSION_INVALID", message }],
      ...(position === undefined ? {} : { details: { position } }),
    });
  }
}
