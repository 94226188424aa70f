import type { Json } from "@vmx/core/contract";
import { compareText, equalJson } from "@vmx/core/kit";
import type { BinaryOperator } from "./grammar.ts";

/** Longest text a rule can put together, in characters. */
const maxTextLength = 1024 * 1024;

type Value = Json | undefined;

/** Whether a value counts as true: like JavaScript, but the text "false" does not. */
export function isTrue(value: Value): boolean {
  return value !== "false" && Boolean(value);
}

/** Operators between two values that are both evaluated. */
export const operators: Readonly<
  Record<Exclude<BinaryOperator, "&&" | "||">, (left: Value, right: Value) => Value>
> = {
  "==": equal,
  "!=": (left, right) => !equal(left, right),
  "<": ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  ">": ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
  in: isIn,
  "+": add,
  "-": (left, right) => toNumber(left) - toNumber(right),
  "*": (left, right) => toNumber(left) * toNumber(right),
  "/": (left, right) => toNumber(left) / toNumber(right),
  "%": (left, right) => toNumber(left) % toNumber(right),
  "^": (left, right) => toNumber(left) ** toNumber(right),
};

/** Texts that are numbers equal those numbers; null and undefined equal each other alone. */
function equal(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (left === undefined || left === null) return right === undefined || right === null;
  if (right === undefined || right === null) return false;
  if (typeof left === "object" || typeof right === "object") return equalJson(left, right);
  return typeof left !== typeof right && toNumber(left) === toNumber(right);
}

/** Two texts by code point, all else as numbers; what is absent or no number is in no order. */
function ordered(accepts: (order: number) => boolean): (left: Value, right: Value) => boolean {
  return (left, right) => {
    if (typeof left === "string" && typeof right === "string") {
      return accepts(compareText(left, right));
    }
    const [one, other] = [toNumber(left), toNumber(right)];
    if (Number.isNaN(one) || Number.isNaN(other)) return false;
    return accepts(one === other ? 0 : one - other);
  };
}

function isIn(left: Value, right: Value): boolean {
  if (typeof right === "string") {
    return (typeof left === "string" || typeof left === "number") && right.includes(String(left));
  }
  return Array.isArray(right) && (right as readonly Json[]).some((item) => equalJson(item, left));
}

function add(left: Value, right: Value): Value {
  if (typeof left !== "string" && typeof right !== "string") {
    return toNumber(left) + toNumber(right);
  }
  const text = toText(left) + toText(right);
  if (text.length > maxTextLength) {
    throw new RangeError(`a text put together by + is longer than ${maxTextLength} characters`);
  }
  return text;
}

function toText(value: Value): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "object") throw new TypeError("+ takes no list and no object");
  return String(value);
}

/** NaN for everything that is not a number, a text of one, or a boolean. */
function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
}
