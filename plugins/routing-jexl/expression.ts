import { check } from "./check.ts";
import { compileNode, type Evaluate } from "./compile.ts";
import type { Node } from "./node.ts";
import { parse } from "./parse.ts";
import { isPlain } from "./plainness.ts";

export type { Evaluate } from "./compile.ts";
export { ExpressionFault } from "./expression-fault.ts";

/** An expression that has passed the gate. */
export interface Expression {
  /** Throws an Error, with no value in its message, when the expression cannot be evaluated. */
  readonly evaluate: Evaluate;
  /** True when the value cannot hold text of the caller's messages. */
  readonly isPlain: boolean;
}

/** Parses and checks an expression: the only way in. Throws an `ExpressionFault`. */
export function readExpression(text: string): Node {
  return check(parse(text));
}

/**
 * Compiles an expression to a closure that is evaluated synchronously.
 *
 * Throws an `ExpressionFault` with cause and position.
 *
 * @example
 * compileExpression("errorRate(5) > 20").evaluate(facts);
 */
export function compileExpression(text: string): Expression {
  const node = readExpression(text);
  return { evaluate: compileNode(node), isPlain: isPlain(node) };
}
