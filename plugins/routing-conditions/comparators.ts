import type { Json } from "@vmx/core/contract";
import { compareText, compilePattern, equalJson } from "@vmx/core/kit";
import { type Operand, splitList, toBoolean, toNumber, toText } from "./operand.ts";

/** Decides a left side against a right side that is known when the rule is compiled. */
export type Decide = (left: Json | undefined) => boolean;

/** Makes the decision of a comparator. Throws an Error for a right side the comparator cannot take. */
type Comparator = (right: Operand) => Decide;

/** All comparators with a right side; each is false when there is none. */
export const comparators = {
  EQUAL: (right) => present(equals(right)),
  NOT_EQUAL: (right) => not(equals(right)),
  GREATER_THAN: (right) => ordered(right, (order) => order > 0),
  GREATER_THAN_OR_EQUAL: (right) => ordered(right, (order) => order >= 0),
  LESS_THAN: (right) => ordered(right, (order) => order < 0),
  LESS_THAN_OR_EQUAL: (right) => ordered(right, (order) => order <= 0),
  CONTAINS: (right) => present(contains(right)),
  NOT_CONTAINS: (right) => not(contains(right)),
  STARTS_WITH: ({ text }) => (left) => toText(left)?.startsWith(text) ?? false,
  ENDS_WITH: ({ text }) => (left) => toText(left)?.endsWith(text) ?? false,
  PATTERN({ text }) {
    const pattern = compilePattern(text);
    return (left) => {
      const subject = toText(left);
      return subject !== undefined && pattern.test(subject);
    };
  },
  IN: (right) => present(isIn(right)),
  NOT_IN: (right) => not(isIn(right)),
} as const satisfies Readonly<Record<string, Comparator>>;

/** The name of a comparator with a right side. */
export type ComparatorName = keyof typeof comparators;

/** Whether something is there; a right side of `false` inverts. */
export function exists(right: Operand | undefined): Decide {
  const wanted = toBoolean(right?.value) ?? true;
  return (left) => (left !== undefined && left !== null && left !== "") === wanted;
}

function present(decide: Decide): Decide {
  return (left) => left !== undefined && left !== null && decide(left);
}

/** The opposite; true of what is absent. */
function not(decide: Decide): Decide {
  return (left) => left === undefined || left === null || !decide(left);
}

function equals({ type, text, value }: Operand): Decide {
  switch (type) {
    case "string":
      return (left) => toText(left) === text;
    case "number":
      return (left) => toNumber(left) === value;
    case "boolean":
      return (left) => toBoolean(left) === value;
    case "comma-delimited-list":
      return (left) => equalJson(typeof left === "string" ? splitList(left) : left, value);
    case "json-object":
    case "json-array":
      return (left) => equalJson(left, value);
  }
}

function ordered({ type, text, value }: Operand, accepts: (order: number) => boolean): Decide {
  if (type === "number") {
    const right = Number(value);
    return (left) => {
      const number = toNumber(left);
      return number !== undefined && accepts(number - right);
    };
  }
  return (left) => {
    const subject = toText(left);
    return subject !== undefined && accepts(compareText(subject, text));
  };
}

/** Membership of a list, else a part of a text. */
function contains(right: Operand): Decide {
  const isItem = equals(right);
  return (left) =>
    Array.isArray(left)
      ? (left as readonly Json[]).some(isItem)
      : toText(left)?.includes(right.text) ?? false;
}

/** Whether the left side is an element of the right; a text is read as a comma list. */
function isIn({ text, value }: Operand): Decide {
  if (Array.isArray(value) && value.some((item) => typeof item !== "string")) {
    return (left) => (value as readonly Json[]).some((item) => equalJson(item, left));
  }
  const items = new Set<unknown>(Array.isArray(value) ? value : splitList(text));
  return (left) => items.has(toText(left));
}
