import { budgetSpent, type Json, type RoutingFacts } from "@vmx/core/contract";
import { compilePattern, PatternFault, readMember } from "@vmx/core/kit";
import { ExpressionFault } from "./expression-fault.ts";
import type { Node } from "./node.ts";
import { isTrue, operators } from "./operators.ts";

/** A compiled expression. Throws an Error, with no value in its message, when it cannot be evaluated. */
export type Evaluate = (facts: RoutingFacts, element?: Json) => Json | undefined;

/** Thrown when the budget is spent; one object, because nobody reads where it came from. */
export const spent = new Error(budgetSpent);

/** Turns a checked expression into a closure. Throws an `ExpressionFault` for a pattern that is not valid. */
export function compileNode(node: Node): Evaluate {
  switch (node.type) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "list": {
      const items = node.items.map(compileNode);
      return (facts, element) => items.map((item) => item(facts, element) ?? null);
    }
    case "variable": {
      const { path } = node;
      return (facts) => facts.variable(path);
    }
    case "element":
      return (_facts, element) => element;
    case "member": {
      const of = compileNode(node.of);
      const { name } = node;
      return (facts, element) => readMember(of(facts, element), name);
    }
    case "index": {
      const of = compileNode(node.of);
      const { index } = node;
      return (facts, element) => {
        const value = of(facts, element);
        return Array.isArray(value) ? (value as readonly Json[])[index] : undefined;
      };
    }
    case "filter":
      return filter(node);
    case "not": {
      const operand = compileNode(node.operand);
      return (facts, element) => !isTrue(operand(facts, element));
    }
    case "binary":
      return binary(node);
    case "choice": {
      const test = compileNode(node.test);
      const then = node.then && compileNode(node.then);
      const otherwise = compileNode(node.otherwise);
      return (facts, element) => {
        const value = test(facts, element);
        if (!isTrue(value)) return otherwise(facts, element);
        return then ? then(facts, element) : value;
      };
    }
    case "call":
      return call(node);
  }
}

/** Elements of a list the condition is true of; a value that is no list counts as a list of one. */
function filter(node: Extract<Node, { type: "filter" }>): Evaluate {
  const of = compileNode(node.of);
  const condition = compileNode(node.condition);
  return (facts, element) => {
    const value = of(facts, element);
    if (value === undefined) return [];
    const list: readonly Json[] = Array.isArray(value) ? value : [value];
    return list.filter((item) => {
      if (!facts.step()) throw spent;
      return isTrue(condition(facts, item));
    });
  };
}

function binary({ operator, left, right }: Extract<Node, { type: "binary" }>): Evaluate {
  const one = compileNode(left);
  const other = compileNode(right);
  if (operator === "&&" || operator === "||") {
    const goesOn = operator === "&&";
    return (facts, element) => {
      const value = one(facts, element);
      return isTrue(value) === goesOn ? other(facts, element) : value;
    };
  }
  const apply = operators[operator];
  return (facts, element) => {
    if (!facts.step()) throw spent;
    return apply(one(facts, element), other(facts, element));
  };
}

function call({ name, args }: Extract<Node, { type: "call" }>): Evaluate {
  if (name === "matches") return matches(args);
  const compiled = args.map(compileNode);
  return (facts, element) => {
    const values = compiled.map((arg) => arg(facts, element));
    if (!facts.step()) throw spent;
    return facts.call(name, values);
  };
}

/** Patterns stand in the text, so they are compiled once. */
function matches(args: readonly Node[]): Evaluate {
  const subject = compileNode(args[0]!);
  const source = args[1]!.type === "literal" ? args[1]!.value : undefined;
  const pattern = patternOf(String(source));
  return (facts, element) => {
    const text = subject(facts, element);
    if (text === undefined || text === null || typeof text === "object") return false;
    const found = pattern.test(String(text));
    if (!facts.step(patternSteps)) throw spent;
    return found;
  };
}

/** A search counts as many steps as make the budget look at the clock. */
const patternSteps = 16;

function patternOf(source: string): ReturnType<typeof compilePattern> {
  try {
    return compilePattern(source);
  } catch (error) {
    if (!(error instanceof PatternFault)) throw error;
    throw new ExpressionFault(`the pattern of "matches" is not valid: ${error.message}`);
  }
}
