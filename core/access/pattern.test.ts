import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePattern, covers, overlaps } from "./pattern.ts";

/** The meaning of a pattern, spelled out: slow, recursive, obviously right. */
function reference(pattern: readonly string[], text: readonly string[]): boolean {
  const [symbol, ...rest] = pattern;
  if (symbol === undefined) return text.length === 0;
  if (symbol === "*") {
    return reference(rest, text) || (text.length > 0 && reference(pattern, text.slice(1)));
  }
  return text.length > 0 && (symbol === "?" || symbol === text[0]) &&
    reference(rest, text.slice(1));
}

const symbol = fc.constantFrom("a", "b", ":", "*", "?", ".", "é", "😀");
const pattern = fc.array(symbol, { maxLength: 7 }).map((symbols) => symbols.join(""));
const text = fc.array(fc.constantFrom("a", "b", ":", ".", "é", "😀"), { maxLength: 8 })
  .map((symbols) => symbols.join(""));

test("a pattern matches exactly what its definition says, for 5,000 random pairs", () => {
  fc.assert(
    fc.property(pattern, text, (glob, value) => {
      expect(compilePattern(glob)(value)).toBe(reference([...glob], [...value]));
    }),
    { numRuns: 5000 },
  );
});

test("patterns are anchored and everything but the wildcards is literal", () => {
  expect(compilePattern("workspace:prod")("workspace:production")).toBe(false);
  expect(compilePattern("x:get")("xx:getAll")).toBe(false);
  expect(compilePattern("a.c")("abc")).toBe(false);
  expect(compilePattern("workspace:prod:*")("workspace:prod:environment:a")).toBe(true);
});

test("half of a character matches no whole one", () => {
  expect(compilePattern("*\ude00")("😀")).toBe(false);
  expect(compilePattern("\ud83d*")("😀")).toBe(false);
  expect(compilePattern("*😀")("a😀")).toBe(true);
});

test("matching stays fast for patterns made to be slow", () => {
  const startedAt = performance.now();
  compilePattern("*a".repeat(250))("a".repeat(5000) + "b");
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test("covers is never true when some text escapes the wide pattern", () => {
  fc.assert(
    fc.property(pattern, pattern, text, (wide, narrow, value) => {
      if (covers(wide, narrow) && reference([...narrow], [...value])) {
        expect(reference([...wide], [...value])).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
  expect(covers("*", "a?b*")).toBe(true);
  expect(covers("workspace:prod:*", "workspace:prod:environment:*")).toBe(true);
  expect(covers("workspace:prod", "workspace:*")).toBe(false);
});

test("overlaps finds a common text whenever there is one", () => {
  fc.assert(
    fc.property(pattern, pattern, text, (one, other, value) => {
      if (reference([...one], [...value]) && reference([...other], [...value])) {
        expect(overlaps(one, other)).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
  expect(overlaps("workspace:prod:*", "workspace:test:*")).toBe(false);
  expect(overlaps("*:environment:*", "workspace:test:*")).toBe(true);
});
