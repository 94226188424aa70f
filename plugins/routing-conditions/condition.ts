import type { Json, JsonObject } from "@vmx/core/contract";
import { compileExpression, type Evaluate } from "@vmx/routing-jexl/expression";
import { type ComparatorName, comparators, type Decide, exists } from "./comparators.ts";
import { type Operand, readOperand, type ValueType } from "./operand.ts";
import { RuleFault } from "./rule-fault.ts";

/** A compiled condition. */
export interface Condition {
  readonly type: "condition";
  readonly path: string;
  readonly label: string | undefined;
  readonly comparator: string;
  readonly left: Evaluate;
  readonly leftIsPlain: boolean;
  /** The right side as traces show it. */
  readonly right: Json | undefined;
  readonly decide: Decide;
}

/**
 * Compiles one condition in its stored form.
 *
 * Throws a `RuleFault` naming the member at fault.
 */
export function compileCondition(condition: JsonObject, path: string, pointer: string): Condition {
  const { expression, evaluate, isPlain } = at(`${pointer}/expression`, () => {
    const text = condition["expression"];
    if (typeof text !== "string") throw new Error("the left side is missing");
    return { expression: text, ...compileExpression(text) };
  });
  const comparator = String(condition["comparator"]);
  const right = at(`${pointer}/value/expression`, () => operandOf(condition["value"], comparator));
  const label = condition["label"];
  return {
    type: "condition",
    path,
    label: typeof label === "string" ? label : expression.slice(0, maxLabelLength),
    comparator,
    left: evaluate,
    leftIsPlain: isPlain,
    right: right?.value,
    decide: decideBy(comparator, right, pointer),
  };
}

const maxLabelLength = 200;

function decideBy(comparator: string, right: Operand | undefined, pointer: string): Decide {
  if (comparator === "EXISTS") return exists(right);
  if (!Object.hasOwn(comparators, comparator)) {
    throw new RuleFault(`${pointer}/comparator`, `unknown comparator "${comparator}"`);
  }
  if (!right) return () => false;
  return at(
    `${pointer}/value/expression`,
    () => comparators[comparator as ComparatorName](right),
  );
}

function operandOf(value: Json | undefined, comparator: string): Operand | undefined {
  const { type = "string", expression } = (value ?? {}) as {
    readonly type?: ValueType;
    readonly expression?: string;
  };
  // The right side of EXISTS is ignored, whatever it is, unless it says false.
  if (comparator === "EXISTS" && type !== "boolean") return undefined;
  return readOperand(type, expression ?? undefined);
}

function at<Result>(pointer: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new RuleFault(pointer, error.message, error);
  }
}
