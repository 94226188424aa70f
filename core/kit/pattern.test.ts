import { expect, test } from "vitest";
import { compilePattern, PatternFault } from "./pattern.ts";

test.each([
  ["report", "the report", true],
  ["^report", "the report", false],
  ["(?i)REPORT$", "the report", true],
  ["\\d{3}-\\d{4}", "call 555-1234 now", true],
  ["[äöü]", "grün", true],
  ["^.{2}$", "🌍🌍", true],
  ["", "anything", true],
  ["a\\nb", "a\nb", true],
])("%j is searched for in %j", (source, text, expected) => {
  expect(compilePattern(source).test(text)).toBe(expected);
});

test.each([
  ["(", "missing closing ): `(`"],
  ["(?=a)", "(?="],
  ["(a)\\1", "invalid escape sequence"],
  ["a".repeat(513), "the pattern has 513 characters; at most 512 are allowed"],
  ["a{1000}b{1000}", "too large"],
  ["(?:a{30}){30}(?:b{30}){30}(?:c{30}){30}", "too large"],
])("%.40s is refused", (source, reason) => {
  expect(() => compilePattern(source)).toThrow(PatternFault);
  expect(() => compilePattern(source)).toThrow(reason);
});

test("only the first 256 KiB are looked at", () => {
  const { test } = compilePattern("needle");
  expect(test("x".repeat(256 * 1024 - 6) + "needle")).toBe(true);
  expect(test("x".repeat(256 * 1024) + "needle")).toBe(false);
});

test("a search that follows many states at once is given up", () => {
  let now = 0;
  const pattern = compilePattern("(?i)(a|b)*a(a|b){200}x", () => now += 0.01);
  const text = Array.from({ length: 256 * 1024 }, (_, at) => "ab"[(at * at) % 7 % 2]).join("");
  expect(() => pattern.test(text)).toThrow("the search took longer than 20 ms");
  expect(pattern.test("short")).toBe(false);
});

test("one pattern serves many texts", () => {
  const pattern = compilePattern("^a+$");
  for (let at = 1; at < 50; at++) {
    expect(pattern.test("a".repeat(at))).toBe(true);
    expect(pattern.test("a".repeat(at) + "b")).toBe(false);
  }
});
