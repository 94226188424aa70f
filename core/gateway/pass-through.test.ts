import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json, JsonObject } from "../contract/index.ts";
import { mergeObjects } from "../kit/index.ts";
import { mergedBody } from "./merged-body.ts";
import { passThroughBody } from "./pass-through.ts";

function edit(text: string, edits: Partial<Parameters<typeof passThroughBody>[1]> = {}): string {
  const value = JSON.parse(text) as JsonObject;
  return passThroughBody(
    { text, value, model: String(value["model"]), stream: value["stream"] === true },
    {
      model: "upstream",
      defaultArgs: null,
      providerArgs: undefined,
      usage: { callerAsked: true },
      adaptation: undefined,
      ...edits,
    },
  );
}

test("only the model changes: spacing, order, number spelling and unknown members stay", () => {
  const text =
    '{ "x_new" : 1.50e2, "model":"demo",\n "messages":[{"role":"user","content":"\\u00e9"}] }';
  expect(edit(text)).toBe(text.replace('"demo"', '"upstream"'));
});

test("the envelope is taken out wherever it stands", () => {
  expect(edit('{"vmx":{"a":1},"model":"m"}')).toBe('{"model":"upstream"}');
  expect(edit('{"model":"m","vmx":{"a":1}}')).toBe('{"model":"upstream"}');
  expect(edit('{"model":"m","vmx":{"a":[1,{"}":2}]},"n":1}')).toBe('{"model":"upstream","n":1}');
});

test("the usage request joins the caller's own stream options", () => {
  const usage = { merge: { stream_options: { include_usage: true } }, callerAsked: false };
  expect(edit('{"model":"m","stream_options":{"x":1}}', { usage })).toBe(
    '{"model":"upstream","stream_options":{"x":1,"include_usage":true}}',
  );
  expect(edit('{"model":"m","stream_options":null}', { usage })).toBe(
    '{"model":"upstream","stream_options":{"include_usage":true}}',
  );
  expect(edit('{"model":"m"}', { usage })).toBe(
    '{"model":"upstream","stream_options":{"include_usage":true}}',
  );
});

test("a member the service rejects is not asked of it, wherever it came from", () => {
  const usage = { merge: { stream_options: { include_usage: true } }, callerAsked: false };
  const adaptation = { remove: ["stream_options", "logit_bias", "seed"] };
  const defaultArgs = { logit_bias: {}, top_p: 1 };
  expect(edit('{"model":"m","seed":1}', { usage, adaptation, defaultArgs })).toBe(
    '{"model":"upstream","top_p":1}',
  );
});

test("default arguments fill gaps, provider arguments win, null stays null", () => {
  const text = '{"model":"m","temperature":0.10,"top":{"a":1,"b":2}}';
  const result = JSON.parse(edit(text, {
    defaultArgs: { temperature: 1, seed: 7, top: { b: 9, c: 3 } },
    providerArgs: { top: { a: null }, stop: ["x"] },
  }));
  expect(result).toEqual({
    model: "upstream",
    temperature: 0.1,
    top: { a: null, b: 2, c: 3 },
    seed: 7,
    stop: ["x"],
  });
});

const name = fc.constantFrom("a", "b", "c", "model", "vmx", "é", 'q"', "__proto__", "constructor");
const { object } = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    fc.string({ maxLength: 5 }),
    fc.array(tie("value"), { maxLength: 3 }) as fc.Arbitrary<Json>,
    tie("object"),
  ),
  object: fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));
const layer = object.map((value) => {
  const { model: _m, vmx: _v, ...rest } = value;
  return rest;
});

test("editing the text means the same as merging the values, for random JSON", () => {
  fc.assert(
    fc.property(layer, object, layer, fc.nat(4), (defaultArgs, body, providerArgs, indent) => {
      const plain = mergeObjects({ ...body, model: "m" });
      const text = JSON.stringify(plain, null, indent);
      const sent = JSON.parse(edit(text, { defaultArgs, providerArgs }));
      const { vmx: _, ...own } = plain;
      expect(sent).toEqual({
        ...mergeObjects(defaultArgs, own, providerArgs),
        model: "upstream",
      });
    }),
    { numRuns: 1000 },
  );
});

test("the merged body of rules and audit has no envelope", () => {
  const value = { model: "m", vmx: { timeoutMs: 5 }, a: { b: 1 } };
  expect(mergedBody(value, { a: { c: 2 } }, { providerArgs: { d: 3 } }))
    .toEqual({ model: "m", a: { b: 1, c: 2 }, d: 3 });
});
