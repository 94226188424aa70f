import type { Json } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { createConditionsEvaluator } from "./evaluator.ts";
import { condition, group } from "./examples.ts";

const evaluator = createConditionsEvaluator();

/** Decides a condition whose left side has the given value. */
function decide(left: Json | undefined, comparator: string, type: string, text?: string): boolean {
  const rule = group("AND", [condition("metadata.left", comparator, type, text)]);
  const facts = { variable: () => left, call: () => undefined, step: () => true };
  return evaluator.compile(rule).evaluate(facts).matched;
}

type Row = [Json | undefined, string, string, string | undefined, boolean];

const rows: Row[] = [
  // Equality follows the type of the value.
  ["gold", "EQUAL", "string", "gold", true],
  ["Gold", "EQUAL", "string", "gold", false],
  [5, "EQUAL", "string", "5", true],
  [true, "EQUAL", "string", "true", true],
  ["", "EQUAL", "string", "", true],
  [5, "EQUAL", "number", "5.0", true],
  ["5", "EQUAL", "number", "5", true],
  ["05.0", "EQUAL", "number", "5", true],
  ["five", "EQUAL", "number", "5", false],
  ["", "EQUAL", "number", "0", false],
  [true, "EQUAL", "number", "1", false],
  [true, "EQUAL", "boolean", "true", true],
  ["TRUE", "EQUAL", "boolean", "true", true],
  [1, "EQUAL", "boolean", "true", false],
  [{ a: [1], b: 2 }, "EQUAL", "json-object", `{"b": 2, "a": [1]}`, true],
  [{ a: [1] }, "EQUAL", "json-object", `{"a": [2]}`, false],
  [[1, "a"], "EQUAL", "json-array", `[1, "a"]`, true],
  [["a", "b"], "EQUAL", "comma-delimited-list", "a, b", true],
  ["a,b", "EQUAL", "comma-delimited-list", "a, b", true],
  ["silver", "NOT_EQUAL", "string", "gold", true],
  ["gold", "NOT_EQUAL", "string", "gold", false],
  // Order is numeric for numbers, else by code point.
  [10, "GREATER_THAN", "number", "9", true],
  ["10", "GREATER_THAN", "number", "9", true],
  ["10", "GREATER_THAN", "string", "9", false],
  ["b", "GREATER_THAN", "string", "a", true],
  ["🌍", "GREATER_THAN", "string", "\uffff", true],
  ["many", "GREATER_THAN", "number", "9", false],
  ["many", "LESS_THAN", "number", "9", false],
  [9, "GREATER_THAN_OR_EQUAL", "number", "9", true],
  [9, "LESS_THAN_OR_EQUAL", "number", "9", true],
  [8, "LESS_THAN", "number", "9", true],
  [9, "LESS_THAN", "number", "9", false],
  [[1], "LESS_THAN", "number", "9", false],
  // Text is case-sensitive; CONTAINS tests the membership of lists.
  ["The report", "CONTAINS", "string", "report", true],
  ["The report", "CONTAINS", "string", "Report", false],
  [["a", "b"], "CONTAINS", "string", "b", true],
  [["ab"], "CONTAINS", "string", "b", false],
  [[1, 2], "CONTAINS", "number", "2", true],
  [[{ a: 1 }], "CONTAINS", "json-object", `{"a": 1}`, true],
  [42, "CONTAINS", "string", "2", true],
  [{ a: "b" }, "CONTAINS", "string", "b", false],
  ["The report", "NOT_CONTAINS", "string", "report", false],
  ["The report", "NOT_CONTAINS", "string", "letter", true],
  ["The report", "STARTS_WITH", "string", "The", true],
  ["The report", "STARTS_WITH", "string", "the", false],
  ["The report", "ENDS_WITH", "string", "port", true],
  ["The report", "PATTERN", "string", "r.p", true],
  ["The report", "PATTERN", "string", "^r", false],
  ["The report", "PATTERN", "string", "(?i)^the", true],
  [["The report"], "PATTERN", "string", "report", false],
  // Lists
  ["b", "IN", "comma-delimited-list", " a , b ,c", true],
  ["d", "IN", "comma-delimited-list", "a,b,c", false],
  ["", "IN", "comma-delimited-list", "a,,c", false],
  [429, "IN", "comma-delimited-list", "429, 500", true],
  ["b", "IN", "string", "a, b", true],
  ["b", "IN", "json-array", `["a", "b"]`, true],
  [2, "IN", "json-array", `[1, 2]`, true],
  ["2", "IN", "json-array", `[1, 2]`, false],
  ["b", "NOT_IN", "comma-delimited-list", "a,b", false],
  ["d", "NOT_IN", "comma-delimited-list", "a,b", true],
  // Presence
  ["x", "EXISTS", "string", undefined, true],
  [0, "EXISTS", "string", undefined, true],
  [false, "EXISTS", "boolean", "true", true],
  ["", "EXISTS", "string", "ignored", false],
  [null, "EXISTS", "number", "ignored", false],
  [undefined, "EXISTS", "boolean", "true", false],
  [undefined, "EXISTS", "boolean", "false", true],
  ["x", "EXISTS", "boolean", "false", false],
];

test.each(rows)("%j %s %s %j is %j", (left, comparator, type, text, expected) => {
  expect(decide(left, comparator, type, text)).toBe(expected);
});

const negative = ["NOT_EQUAL", "NOT_CONTAINS", "NOT_IN"];
const positive = [
  "EQUAL",
  "GREATER_THAN",
  "GREATER_THAN_OR_EQUAL",
  "LESS_THAN",
  "LESS_THAN_OR_EQUAL",
  "CONTAINS",
  "STARTS_WITH",
  "ENDS_WITH",
  "PATTERN",
  "IN",
];

test.each(negative)("%s of an absent left side is true", (comparator) => {
  expect([undefined, null].map((left) => decide(left, comparator, "string", "x"))).toEqual([
    true,
    true,
  ]);
});

test.each(positive)("%s of an absent left side is false", (comparator) => {
  for (const left of [undefined, null]) {
    expect(decide(left, comparator, "string", "x")).toBe(false);
    expect(decide(left, comparator, "string", "")).toBe(false);
  }
});

test.each([...positive, ...negative])("%s without a right side is false", (comparator) => {
  for (const left of [undefined, "x", 1, ["x"]]) {
    expect(decide(left, comparator, "string", undefined)).toBe(false);
  }
});
