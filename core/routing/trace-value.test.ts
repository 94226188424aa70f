import { expect, test } from "vitest";
import { traceValue } from "./trace-value.ts";

const long = "x".repeat(1000);

test.each([
  ["short", "short"],
  [long, "x".repeat(256)],
  [7, 7],
  [true, true],
  [undefined, null],
  [null, null],
  [NaN, null],
  [Infinity, "Infinity"],
  [{ a: [1, "b", null] }, { a: [1, "b", null] }],
])("%j is stored as %j", (value, stored) => {
  expect(traceValue(value, true)).toEqual(stored);
});

test("a large value is stored as the start of its text", () => {
  const value = { list: Array.from({ length: 100_000 }, (_, at) => ({ at, text: long })) };
  const stored = traceValue(value, true);
  expect(stored).toBe(JSON.stringify(value).slice(0, 256));
});

test("of a value that must not be stored the length is all that is told", () => {
  expect(traceValue(long, false)).toEqual({ length: 1000 });
  expect(traceValue([long, long], false)).toEqual({ length: 2 });
  expect(traceValue({ role: "user", content: long }, false)).toEqual({ length: 2 });
  expect(traceValue(1000, false)).toBe(1000);
  expect(traceValue(true, false)).toBe(true);
});
