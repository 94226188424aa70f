import type { RoutingComparator, RoutingValueType } from "@vmx/schemas";
import { routingComparators } from "@vmx/schemas";

/** Comparators of the second spelling whose name is not simply the stored one in camel case. */
const otherNames: Readonly<Record<string, RoutingComparator>> = {
  equals: "EQUAL",
  notequals: "NOT_EQUAL",
  greaterthanorequals: "GREATER_THAN_OR_EQUAL",
  lessthanorequals: "LESS_THAN_OR_EQUAL",
  matches: "PATTERN",
};

const comparatorNames: ReadonlyMap<string, RoutingComparator> = new Map([
  ...routingComparators.map((name) => [plain(name), name] as const),
  ...Object.entries(otherNames),
]);

/** Reads a comparator of either spelling, in any case. */
export function comparatorOf(name: unknown): RoutingComparator | undefined {
  return typeof name === "string" ? comparatorNames.get(plain(name)) : undefined;
}

/** Reads the left side of the second spelling. */
export function expressionOfField(field: string, window: number, statusCode: unknown): string {
  switch (field) {
    case "requestTokens":
      return "tokens.input";
    case "hasTools":
      return "request.toolsCount > 0";
    case "errorRate":
      return `errorRate(${window}, ${JSON.stringify(statusCode)})`;
    case "model":
      return "request.model";
    case "provider":
      return "resource.model.provider";
    default:
      return field;
  }
}

/** The right side in its stored form; `literal` tells values that came without a type. */
export interface StoredValue {
  readonly type: RoutingValueType;
  readonly expression?: string;
}

/** Reads a right side that came without a type. Undefined when it has none of the types. */
export function valueOfLiteral(value: unknown): StoredValue | undefined {
  switch (typeof value) {
    case "number":
      return { type: "number", expression: String(value) };
    case "boolean":
      return { type: "boolean", expression: String(value) };
    case "string":
      return { type: "string", expression: value };
    default:
      return Array.isArray(value)
        ? { type: "json-array", expression: JSON.stringify(value) }
        : undefined;
  }
}

/** `GREATER_THAN_OR_EQUAL` and `greaterThanOrEqual` are one word. */
function plain(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
