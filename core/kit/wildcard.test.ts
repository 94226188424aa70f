import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesWildcard } from "./wildcard.ts";

test.each([
  ["*", "", true],
  ["gpt-4*", "gpt-4.1-mini", true],
  ["gpt-4*", "o-gpt-4", false],
  ["gpt-?", "gpt-4", true],
  ["gpt-?", "gpt-", false],
  ["a.c", "abc", false],
  ["*mini", "gpt-mini-x", false],
  ["a*b*c", "a-b-b-c", true],
  ["", "", true],
  ["", "x", false],
])("pattern %j against %j is %j", (pattern, text, expected) => {
  expect(matchesWildcard(pattern, text)).toBe(expected);
});

test("agrees with an anchored regular expression on random patterns", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, value) => {
      const source = glob.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
      expect(matchesWildcard(glob, value)).toBe(new RegExp(`^(?:${source})$`).test(value));
    }),
    { numRuns: 2000 },
  );
});

test("stays fast on patterns that make backtracking engines slow", () => {
  expect(matchesWildcard("*a".repeat(200) + "b", "a".repeat(5000))).toBe(false);
});
