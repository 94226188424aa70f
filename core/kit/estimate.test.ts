import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../contract/json.ts";
import { estimateJsonTokens, estimateMediaTokens, estimateTokens } from "./estimate.ts";

test("an ASCII character counts a quarter, every other code point one, rounded up", () => {
  expect(estimateTokens("")).toBe(0);
  expect(estimateTokens("abcd")).toBe(1);
  expect(estimateTokens("abcde")).toBe(2);
  expect(estimateTokens("é")).toBe(1);
  expect(estimateTokens("日本語")).toBe(3);
  expect(estimateTokens("🌍🌍")).toBe(2);
  expect(estimateTokens("a🌍")).toBe(2);
});

test("the estimate equals the rule for every text, long and short", () => {
  const text = fc.string({ unit: fc.constantFrom("a", " ", "é", "日", "🌍"), maxLength: 200 });
  fc.assert(fc.property(text, (sample) => {
    const points = [...sample];
    const ascii = points.filter((point) => point.charCodeAt(0) < 128).length;
    expect(estimateTokens(sample)).toBe(Math.ceil(ascii / 4 + points.length - ascii));
  }));
});

test("a value's JSON text is estimated as if it were written", () => {
  const value = fc.jsonValue({ maxDepth: 4 }).filter((sample) =>
    !JSON.stringify(sample).includes("\\")
  );
  fc.assert(fc.property(value, (sample) => {
    const written = JSON.stringify(sample);
    // JSON.stringify writes -0 as 0.
    fc.pre(!written.includes("-0"));
    expect(estimateJsonTokens(sample as Json)).toBe(estimateTokens(written));
  }));
  expect(estimateJsonTokens(undefined)).toBe(0);
});

test("media count by their decoded bytes", () => {
  expect(estimateMediaTokens(Buffer.alloc(4000).toString("base64").length)).toBeCloseTo(100, -1);
});
