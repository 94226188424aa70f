import { routingVariables } from "@vmx/core/contract";
import { unreachableNames } from "@vmx/core/kit";
import { checkCall } from "./check-call.ts";
import { ExpressionFault, hint, quoted } from "./expression-fault.ts";
import { type BinaryOperator, binaryOperators } from "./grammar.ts";
import type { Node } from "./node.ts";
import type { Parsed, ParsedNode } from "./parse.ts";

const maxNodes = 500;

/** Where a part of an expression stands: inside a filter a leading dot means the filter's element. */
interface Scope {
  readsElement: boolean;
}

/**
 * Turns a parsed tree into a checked one. Only what is known here gets through: kinds of nodes, operators,
 * variables, functions and how many arguments they take; members are reached by names that stand in the text.
 *
 * Throws an `ExpressionFault`.
 */
export function check({ tree, namePositions }: Parsed): Node {
  let nodes = 0;
  let names = 0;

  // Nodes are visited in the order of the text: that is what finds the places of their names.
  function visit(value: unknown, scope: Scope | undefined): Node {
    if (++nodes > maxNodes) {
      throw new ExpressionFault(`the expression has more than ${maxNodes} parts`);
    }
    if (typeof value !== "object" || value === null) {
      throw new ExpressionFault("a value is missing");
    }
    const node = value as ParsedNode;
    switch (node.type) {
      case "Literal":
        return literal(node["value"]);
      case "ArrayLiteral":
        return { type: "list", items: list(node["value"]).map((item) => visit(item, scope)) };
      case "Identifier":
        return identifier(node, scope);
      case "FilterExpression":
        return bracket(node, scope);
      case "UnaryExpression":
        if (node["operator"] !== "!") break;
        return { type: "not", operand: visit(node["right"], scope) };
      case "BinaryExpression": {
        const operator = String(node["operator"]);
        if (!Object.hasOwn(binaryOperators, operator)) break;
        const left = visit(node["left"], scope);
        const right = visit(node["right"], scope);
        return { type: "binary", operator: operator as BinaryOperator, left, right };
      }
      case "ConditionalExpression": {
        const test = visit(node["test"], scope);
        const then = node["consequent"] ? visit(node["consequent"], scope) : undefined;
        return { type: "choice", test, then, otherwise: visit(node["alternate"], scope) };
      }
      case "FunctionCall":
        return call(node, scope);
    }
    throw new ExpressionFault(`${String(node.type)} is not allowed`);
  }

  function identifier(node: ParsedNode, scope: Scope | undefined): Node {
    const of = node["from"] ? visit(node["from"], scope) : undefined;
    const position = namePositions[names++];
    const name = reachable(node["value"], position);
    if (of) return member(of, name, position);
    if (node["relative"] !== true) return root(name, position);
    if (!scope) {
      throw new ExpressionFault("a name with a leading dot has a meaning only in [ ]", position);
    }
    scope.readsElement = true;
    return { type: "member", of: { type: "element" }, name };
  }

  function bracket(node: ParsedNode, scope: Scope | undefined): Node {
    const of = visit(node["subject"], scope);
    const position = namePositions[names - 1];
    const inner: Scope = { readsElement: false };
    const key = visit(node["expr"], inner);
    if (inner.readsElement) return { type: "filter", of, condition: key };
    if (key.type === "literal") {
      if (typeof key.value === "string") {
        return member(of, reachable(key.value, position), position);
      }
      if (typeof key.value === "number" && Number.isInteger(key.value)) {
        return { type: "index", of, index: key.value };
      }
      if (key.value === true) return of;
    }
    throw new ExpressionFault(
      'in [ ] stands a text, a whole number or a filter such as [.role == "user"]',
      position,
    );
  }

  function call(node: ParsedNode, scope: Scope | undefined): Node {
    const isTransform = node["pool"] === "transforms";
    const args = list(node["args"]);
    const subject = isTransform ? [visit(args[0], scope)] : [];
    const position = namePositions[names++];
    const rest = args.slice(subject.length).map((arg) => visit(arg, scope));
    return checkCall(node["name"], [...subject, ...rest], isTransform, position);
  }

  return visit(tree, undefined);
}

function literal(value: unknown): Node {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { type: "literal", value };
  }
  throw new ExpressionFault("a literal is a text, a number, true or false");
}

function root(name: string, position: number | undefined): Node {
  if (name === "null") return { type: "literal", value: null };
  if (name === "undefined") return { type: "literal", value: undefined };
  if (!Object.hasOwn(routingVariables, name)) {
    const meant = hint(name, Object.keys(routingVariables));
    throw new ExpressionFault(`unknown name ${quoted(name)}${meant}`, position);
  }
  return { type: "variable", path: [name] };
}

function member(of: Node, name: string, position: number | undefined): Node {
  if (of.type !== "variable") return { type: "member", of, name };
  const path = [...of.path, name];
  const members = routingVariables[path[0] as keyof typeof routingVariables];
  const isKnown = members === "any" ||
    members !== "value" && (path.length > 2 || (members as readonly string[]).includes(name));
  if (!isKnown) {
    const known = Array.isArray(members) ? members.map((each) => `${path[0]}.${each}`) : [];
    const whole = path.join(".");
    throw new ExpressionFault(`unknown name ${quoted(whole)}${hint(whole, known)}`, position);
  }
  return { type: "variable", path };
}

function reachable(name: unknown, position: number | undefined): string {
  if (typeof name === "string" && !unreachableNames.has(name)) return name;
  throw new ExpressionFault(`the name ${quoted(name)} is not allowed`, position);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
