import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../contract/json.ts";
import { compareText, equalJson, plainCopy, readMember, unreachableNames } from "./json-value.ts";

const json = fc.jsonValue() as fc.Arbitrary<Json>;

test("a copy is equal, frozen and without prototypes, all the way down", () => {
  const check = (value: Json): void => {
    if (typeof value !== "object" || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    expect([null, Array.prototype]).toContain(Object.getPrototypeOf(value));
    Object.values(value).forEach((member) => check(member as Json));
  };
  fc.assert(fc.property(json, (value) => {
    const copy = plainCopy(value);
    check(copy);
    const names = JSON.stringify(value);
    if (![...unreachableNames].some((name) => names.includes(name))) {
      expect(JSON.stringify(copy)).toBe(names);
      expect(equalJson(copy, value)).toBe(true);
    }
  }));
});

test("a copy leaves out names that lead out of plain data", () => {
  const copy = plainCopy(
    JSON.parse(`{"a": 1, "__proto__": {"b": 2}, "constructor": 3, "then": 4}`),
  );
  expect(Object.keys(copy as object)).toEqual(["a"]);
});

test("a copy can be stopped", () => {
  let seen = 0;
  const stop = () => {
    if (++seen > 2) throw new Error("enough");
  };
  expect(() => plainCopy([[1], [2], [3]], stop)).toThrow("enough");
});

test("only own members are read, of a list its first element's", () => {
  expect(readMember({ a: 1 }, "a")).toBe(1);
  expect(readMember([{ a: 1 }, { a: 2 }], "a")).toBe(1);
  for (const value of [undefined, null, 1, "text", [], [[{ a: 1 }]], { b: 1 }]) {
    expect(readMember(value, "a")).toBeUndefined();
  }
  for (const name of unreachableNames) {
    expect(readMember({}, name)).toBeUndefined();
    expect(readMember(JSON.parse(`{"${name}": 1}`), name)).toBeUndefined();
  }
  expect([readMember("text", "length"), readMember([1, 2], "length")]).toEqual([4, 2]);
  expect(readMember({}, "length")).toBeUndefined();
});

test("equality ignores the order of members and nothing else", () => {
  expect(equalJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  for (const [one, other] of [[[1, 2], [2, 1]], [{ a: 1 }, { a: 1, b: 2 }], [[], {}], [1, "1"]]) {
    expect(equalJson(one, other)).toBe(false);
  }
  expect(equalJson({ a: 1 }, { toString: 1 })).toBe(false);
});

test("texts are ordered by code point, also beyond the sixteenth bit", () => {
  const byPoint = (one: string, other: string): number => {
    const [left, right] = [[...one], [...other]].map((points) =>
      points.map((p) => p.codePointAt(0)!)
    );
    for (let at = 0; at < Math.min(left!.length, right!.length); at++) {
      if (left![at] !== right![at]) return left![at]! - right![at]!;
    }
    return left!.length - right!.length;
  };
  const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "\ufb01", "\uffff", "🌍", "🦊") });
  fc.assert(fc.property(text, text, (one, other) => {
    expect(Math.sign(compareText(one, other))).toBe(Math.sign(byPoint(one, other)));
  }));
});
