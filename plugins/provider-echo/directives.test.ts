import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDirectives } from "./directives.ts";

const plain = { slowMs: 0, paceMs: 0, hang: false, json: false, think: false, usage: true };

test.each([
  ["echo", {}],
  ["echo-slow-200ms-status-503", { slowMs: 200, status: 503 }],
  ["echo-status-503-slow-200ms", { slowMs: 200, status: 503 }],
  ["echo-pace-5ms", { paceMs: 5 }],
  ["echo-fail-after-3", { failAfter: 3 }],
  ["echo-fail-after-0", { failAfter: 0 }],
  ["echo-hang", { hang: true }],
  ["echo-tokens-7", { words: 7 }],
  ["echo-tool", { toolCalls: 1 }],
  ["echo-tool-3", { toolCalls: 3 }],
  ["echo-tool-tokens-7", { toolCalls: 1, words: 7 }],
  ["echo-json", { json: true }],
  ["echo-think", { think: true }],
  ["echo-refuse", { ending: "refuse" }],
  ["echo-length", { ending: "length" }],
  ["echo-filter", { ending: "filter" }],
  ["echo-limits-10-2000", { limits: { requests: 10, tokens: 2000 } }],
  ["echo-nousage", { usage: false }],
  [
    "echo-nousage-think-pace-1ms-length-slow-2ms",
    { usage: false, think: true, paceMs: 1, slowMs: 2, ending: "length" },
  ],
])("%s is understood", (model, expected) => {
  expect(parseDirectives(model)).toEqual({ ...plain, ...expected });
});

test.each([
  "echoes",
  "gpt-4.1",
  "",
  "echo-",
  "echo-nope",
  "echo--think",
  "echo-think-",
  "echo-thinking",
  "echo-slow-ms",
  "echo-slow-200",
  "echo-slow-9999999ms",
  "echo-status-200",
  "echo-status-600",
  "echo-status-5030",
  "echo-tool-0",
  "echo-tool-999",
  "echo-limits-5",
  "echo-hanging",
  `echo${"-think".repeat(200)}`,
])("%s is unknown", (model) => {
  expect(parseDirectives(model)).toBeUndefined();
});

test("directives mean the same in any order", () => {
  const each = ["slow-1ms", "pace-2ms", "status-500", "tool-2", "json", "think", "nousage"];
  const all = parseDirectives(`echo-${each.join("-")}`);
  fc.assert(
    fc.property(fc.shuffledSubarray(each, { minLength: each.length }), (order) => {
      expect(parseDirectives(`echo-${order.join("-")}`)).toEqual(all);
    }),
  );
});
