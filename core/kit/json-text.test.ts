import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json, JsonObject } from "../contract/json.ts";
import {
  appendMember,
  duplicateMember,
  editObject,
  isObject,
  mergeObjects,
  scanObject,
} from "./json-text.ts";

const name = fc.constantFrom("a", "b", "c", "model", 'q"u', "back\\slash", "日本", "");
const value = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false, 0, -1.5e3, "", 'x"},{', "\\", "\u2028🌍", "}]"),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(name, tie("json"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).json;
const object = fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true });
const spaced = fc.constantFrom(0, 2, "\t");

/** What edits mean, by values instead of text. */
function expected(body: JsonObject, edits: Parameters<typeof editObject>[1]): JsonObject {
  const { under, remove = [], set = {}, over } = edits;
  const below = mergeObjects(under, body);
  const kept = Object.fromEntries(Object.entries(below).filter(([key]) => !remove.includes(key)));
  return mergeObjects({ ...kept, ...set }, over);
}

test("edits of the text mean what the same edits of the value mean", () => {
  fc.assert(
    fc.property(
      object,
      spaced,
      fc.record({
        under: object,
        remove: fc.uniqueArray(name, { maxLength: 2 }),
        set: object,
        over: object,
      }, { requiredKeys: [] }),
      (body, space, edits) => {
        const text = JSON.stringify(body, null, space);
        expect(JSON.parse(editObject(text, edits))).toEqual(expected(body, edits));
      },
    ),
    { numRuns: 2000 },
  );
});

test("bytes that are not edited stay: order, spacing, number spelling, escapes", () => {
  const text = '{ "z": 1.0,\n  "model" : "a",  "n": 1e2, "e":"\\u00e9", "vmx":{"a":[1, 2]} }';
  expect(editObject(text, { set: { model: "b" }, remove: ["vmx"] })).toBe(
    '{ "z": 1.0,\n  "model" : "b",  "n": 1e2, "e":"\\u00e9" }',
  );
  expect(editObject(text, {})).toBe(text);
});

test("members can be removed at every place", () => {
  for (const remove of [["a"], ["b"], ["c"], ["a", "b"], ["b", "c"], ["a", "c"], ["a", "b", "c"]]) {
    const text = '{"a":1, "b":[2,{"b":3}], "c":"}"}';
    const rest = Object.fromEntries(
      Object.entries({ a: 1, b: [2, { b: 3 }], c: "}" }).filter(([key]) => !remove.includes(key)),
    );
    expect(JSON.parse(editObject(text, { remove }))).toEqual(rest);
    expect(JSON.parse(editObject(text, { remove, set: { d: 4 } }))).toEqual({ ...rest, d: 4 });
  }
});

test("a member's name is found however it is escaped, and twice is told", () => {
  const span = scanObject('{"a":1,"\\u0061":2}');
  expect(span.members.map((member) => member.name)).toEqual(["a", "a"]);
  expect(duplicateMember(span)).toBe("a");
  expect(duplicateMember(scanObject('{"a":{"a":1},"b":["a"]}'))).toBeUndefined();
});

test("depth and number of keys are limited", () => {
  const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const limits = { maxDepth: 4, maxKeys: 3 };
  expect(scanObject(nested(3), 0, limits).members).toHaveLength(1);
  expect(() => scanObject(nested(4), 0, limits)).toThrow("depth 4");
  expect(scanObject('{"a":{"b":{"c":1}}}', 0, limits).members).toHaveLength(1);
  expect(() => scanObject('{"a":{"b":{"c":{"d":1}}}}', 0, limits)).toThrow("3 keys");
  expect(() => scanObject('{"a":1,"b":2,"c":3,"d":4}', 0, limits)).toThrow("3 keys");
});

test("a member is appended to empty, dense and spaced objects", () => {
  expect(appendMember("{}", "vmx", "1")).toBe('{"vmx":1}');
  expect(appendMember('{"a":1}', "vmx", "{}")).toBe('{"a":1,"vmx":{}}');
  expect(appendMember('{\n  "a": "}"\n}\n', "vmx", "1")).toBe('{\n  "a": "}","vmx":1\n}\n');
});

test("names that reach a prototype are dropped at every depth", () => {
  const evil = JSON.parse(
    '{"__proto__":{"x":1},"a":{"constructor":1,"b":2},"prototype":[]}',
  ) as JsonObject;
  expect(JSON.stringify(mergeObjects({}, evil))).toBe('{"a":{"b":2}}');
  expect(editObject('{"a":{}}', { over: evil })).toBe('{"a":{"b":2}}');
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test("merging keeps null and replaces arrays", () => {
  expect(mergeObjects({ a: { x: 1, y: [1, 2] } }, { a: { x: null, y: [3] } }, undefined)).toEqual({
    a: { x: null, y: [3] },
  });
  expect([isObject({}), isObject([]), isObject(null), isObject("x")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
