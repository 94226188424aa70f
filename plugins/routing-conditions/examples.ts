import type { JsonObject } from "@vmx/core/contract";

/** A condition in its stored form. */
export function condition(
  expression: string,
  comparator: string,
  type: string,
  text: string | undefined,
): JsonObject {
  return { type: "condition", expression, comparator, value: { type, expression: text } };
}

/** A group, or a route, in its stored form. */
export function group(operator: "AND" | "OR", conditions: readonly JsonObject[]): JsonObject {
  return { type: "group", operator, conditions };
}

const lefts = [
  "request.constructor",
  "request['__proto__']",
  "metadata.constructor.constructor('return process')()",
  "process.env",
  "globalThis",
  "{then: lower}",
  "(".repeat(3200),
  "x".repeat(100_000),
  "request.messages[lower]",
  "'a'.repeat(1000000)",
  "request.model = 'x'",
  "<%= process.env %>",
  "__proto__",
  "request.messages",
  "request",
];

const patterns = [
  "(a+)+$",
  "(a|aa)+$",
  "(.*a){20}$",
  "(x+x+)+y",
  "(?i)(a|b)*a(a|b){200}x",
  "((a{1,50}){1,50}){1,50}",
  "a{1000}a{1000}a{1000}",
  "(?=a)",
  "(a)\\1",
  "[",
  "a".repeat(513),
  "(".repeat(250) + ")".repeat(250),
  ".{1000}$",
];

const values = [
  ["json-object", '{"__proto__": {"polluted": true}}'],
  ["json-object", '{"constructor": {"prototype": {"polluted": true}}}'],
  ["json-array", "[".repeat(5000) + "]".repeat(5000)],
  ["json-array", "[1,"],
  ["number", "1e999"],
  ["number", "0x10"],
  ["boolean", "yes"],
  ["comma-delimited-list", ",".repeat(16_000)],
  ["function", "x"],
  ["__proto__", "x"],
] as const;

/** Rules of people who mean harm. */
export const hostileRules: readonly JsonObject[] = [
  ...lefts.map((left) => condition(left, "EQUAL", "string", "x")),
  ...patterns.map((pattern) => condition(`'${"ab".repeat(900)}'`, "PATTERN", "string", pattern)),
  ...values.map(([type, text]) => condition("request", "EQUAL", type, text)),
  ...values.map(([type, text]) => condition("request.messages", "IN", type, text)),
  condition("request.model", "__proto__", "string", "x"),
  condition("request.model", "constructor", "string", "x"),
  condition("request.model", "toString", "string", "x"),
].map((hostile) => group("AND", [hostile]));
