import {
  maxRoutingConditions,
  maxRoutingDepth,
  routingComparators,
  type RoutingCondition,
  type RoutingGroup,
  routingValueTypes,
} from "@vmx/schemas";
import type { Faults, Place } from "./faults.ts";
import { type Members, readMembers } from "./read-members.ts";
import { comparatorOf, expressionOfField, type StoredValue, valueOfLiteral } from "./spellings.ts";
import { unwrapExpression } from "./unwrap-expression.ts";

/** What all parts of one routing block share while it is read. */
export interface Reading {
  readonly faults: Faults;
  readonly createId: () => string;
  /** Conditions read so far. */
  conditions: number;
}

/** Longest expression, in characters. */
export const maxExpressionLength = 4096;
const maxLabelLength = 200;
const maxIdLength = 64;
const maxValueLength = 16_384;

/** Reads the members of a group: `conditions`, or `if` in the second spelling. */
export function readConditions(
  members: Members,
  place: Place,
  depth: number,
  reading: Reading,
): (RoutingCondition | RoutingGroup)[] {
  const name = members.has("if") ? "if" : "conditions";
  if (name === "if" && members.has("conditions")) {
    reading.faults.add([...place, "if"], "cannot stand beside conditions, which means the same");
  }
  const list = members.list(name) ?? [];
  return list.flatMap((item, index) => {
    const read = readNode(item, [...place, name, index], depth, reading);
    return read ? [read] : [];
  });
}

/** The id as sent, or a new one. */
export function readId(members: Members, { createId }: Reading): string {
  return members.text("id", maxIdLength) || createId();
}

/** Reads an expression without its template marks; undefined, with a fault, when it has none or others. */
export function readExpression(
  members: Members,
  name: string,
  place: Place,
  { faults }: Reading,
): string | undefined {
  const raw = members.raw(name);
  const at = [...place, name];
  if (typeof raw !== "string") {
    faults.add(at, raw === undefined ? "is required" : "must be a text");
    return undefined;
  }
  const text = unwrapExpression(raw);
  const problem = text === undefined
    ? "template marks may only wrap the whole expression: <%= ... %>"
    : text === ""
    ? "the expression is empty"
    : text.length > maxExpressionLength
    ? `the expression has ${text.length} characters; at most ${maxExpressionLength} are allowed`
    : undefined;
  if (problem === undefined) return text;
  faults.add(at, problem, "EXPRESSION_INVALID");
  return undefined;
}

function readNode(
  value: unknown,
  place: Place,
  depth: number,
  reading: Reading,
): RoutingCondition | RoutingGroup | undefined {
  const members = readMembers(value, place, reading.faults);
  if (!members) return undefined;
  const type = members.word("type", ["condition", "group"]);
  const isGroup = type === "group" ||
    type === undefined && (members.has("conditions") || members.has("if"));
  return isGroup
    ? readGroup(members, place, depth, reading)
    : readCondition(members, place, reading);
}

function readGroup(
  members: Members,
  place: Place,
  depth: number,
  reading: Reading,
): RoutingGroup | undefined {
  if (depth > maxRoutingDepth) {
    reading.faults.add(place, `nests deeper than ${maxRoutingDepth} levels`);
    return undefined;
  }
  members.only(groupMembers);
  members.word("mode", ["UI"]);
  if (!members.has("conditions") && !members.has("if")) {
    reading.faults.add([...place, "conditions"], "is required");
  }
  const label = members.text("label", maxLabelLength) ??
    members.text("description", maxLabelLength);
  return {
    type: "group",
    id: readId(members, reading),
    ...(label === undefined ? {} : { label }),
    enabled: members.flag("enabled") ?? true,
    operator: members.word("operator", ["AND", "OR"]) ?? "AND",
    conditions: readConditions(members, place, depth + 1, reading),
  };
}

const groupMembers = [
  "type",
  "id",
  "label",
  "description",
  "enabled",
  "mode",
  "operator",
  "conditions",
  "if",
];

function readCondition(
  members: Members,
  place: Place,
  reading: Reading,
): RoutingCondition | undefined {
  const { faults } = reading;
  if (++reading.conditions > maxRoutingConditions) {
    if (reading.conditions === maxRoutingConditions + 1) {
      faults.add(place, `is one condition too many; at most ${maxRoutingConditions} are allowed`);
    }
    return undefined;
  }
  members.only(conditionMembers);
  const window = readWindow(members, place, faults);
  const expression = readLeft(members, place, window, reading);
  const comparatorMember = members.has("comparator") ? "comparator" : "operator";
  const comparator = comparatorOf(members.raw(comparatorMember));
  if (!comparator) {
    const name = members.raw(comparatorMember);
    const problem = name === undefined
      ? "is required"
      : `unknown comparator ${shown(name)}; there are ${routingComparators.join(", ")}`;
    faults.add([...place, comparatorMember], problem);
  }
  const value = readValue(members, [...place, "value"], faults);
  const label = members.text("label", maxLabelLength);
  const id = readId(members, reading);
  if (expression === undefined || !comparator || !value) return undefined;
  return {
    type: "condition",
    id,
    ...(label === undefined ? {} : { label }),
    enabled: members.flag("enabled") ?? true,
    expression,
    comparator,
    value,
    ...(window === undefined ? {} : { window }),
  };
}

const conditionMembers = [
  "type",
  "id",
  "label",
  "enabled",
  "expression",
  "field",
  "comparator",
  "operator",
  "value",
  "window",
  "statusCode",
];

function readWindow(members: Members, place: Place, faults: Faults): number | undefined {
  const window = members.raw("window");
  if (window === undefined) return undefined;
  if (Number.isInteger(window) && Number(window) >= 1 && Number(window) <= 180) {
    return Number(window);
  }
  faults.add([...place, "window"], "must be a whole number of minutes from 1 to 180");
  return undefined;
}

const defaultWindowMinutes = 10;

function readLeft(
  members: Members,
  place: Place,
  window: number | undefined,
  reading: Reading,
): string | undefined {
  const name = members.has("expression") || !members.has("field") ? "expression" : "field";
  const text = readExpression(members, name, place, reading);
  if (text === undefined || name === "expression" && text !== "errorRate") return text;
  const statusCode = members.raw("statusCode") ?? "any";
  if (statusCode !== "any" && !/^[1-5]\d\d$/.test(String(statusCode))) {
    reading.faults.add([...place, "statusCode"], `must be "any" or a status code`);
    return undefined;
  }
  return expressionOfField(text, window ?? defaultWindowMinutes, statusCode);
}

function readValue(members: Members, place: Place, faults: Faults): StoredValue | undefined {
  const raw = members.raw("value");
  if (raw === undefined) return { type: "string" };
  if (typeof raw !== "object" || Array.isArray(raw)) return checked(valueOfLiteral(raw)!);
  const inner = readMembers(raw, place, faults)!;
  inner.only(["type", "expression"]);
  const type = inner.word("type", routingValueTypes);
  if (inner.has("type") && !type) return undefined;
  const sent = inner.raw("expression");
  if (sent === undefined) return { type: type ?? "string" };
  const literal = valueOfLiteral(sent) ??
    { type: "json-object" as const, expression: JSON.stringify(sent) };
  return checked({ ...literal, type: type ?? literal.type });

  function checked(value: StoredValue): StoredValue | undefined {
    const text = readLiteral(value.expression ?? "");
    const problem = text === undefined
      ? "the right side is a literal; expressions belong on the left"
      : text.length > maxValueLength
      ? `has ${text.length} characters; at most ${maxValueLength} are allowed`
      : undefined;
    if (problem === undefined) return { ...value, expression: text! };
    const at = typeof raw === "object" && !Array.isArray(raw) ? [...place, "expression"] : place;
    faults.add(at, problem, text === undefined ? "EXPRESSION_INVALID" : "VALIDATION_FAILED");
    return undefined;
  }
}

/** A right side may stand in template marks when it is a number, true, false or a text in quotes. */
function readLiteral(text: string): string | undefined {
  if (!text.includes("<%")) return text;
  const inner = unwrapExpression(text);
  if (inner === undefined) return undefined;
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(inner);
  if (quoted) return quoted[2]!;
  return /^(-?\d+(\.\d+)?|true|false)$/.test(inner) ? inner : undefined;
}

function shown(name: unknown): string {
  return typeof name === "string" ? `"${name.slice(0, 40)}"` : `of type ${typeof name}`;
}
