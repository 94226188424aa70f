import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import type { JsonObject } from "@vmx/core/contract";
import { minimalValue } from "./minimal-value.ts";

const schemas: readonly [JsonObject, unknown][] = [
  [{ type: "object" }, {}],
  [{ type: "object", properties: { a: { type: "string" } } }, {}],
  [
    {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "integer" }, c: { type: "boolean" } },
      required: ["a", "b"],
      additionalProperties: false,
    },
    { a: "", b: 0 },
  ],
  [{ type: "string", minLength: 3 }, "aaa"],
  [{ type: "string", enum: ["red", "blue"] }, "red"],
  [{ const: 7 }, 7],
  [{ type: "number", minimum: 2.5 }, 3],
  [{ type: "integer", exclusiveMinimum: 4, multipleOf: 5 }, 10],
  [{ type: "integer", maximum: -3 }, -3],
  [{ type: "number", minimum: 0.2, maximum: 0.4 }, undefined],
  [{ type: "array", items: { type: "integer" }, minItems: 2 }, [0, 0]],
  [{ type: ["string", "null"] }, ""],
  [{ anyOf: [{ type: "null" }, { type: "string" }] }, null],
  [{ oneOf: [{ type: "object", properties: { k: { const: "x" } }, required: ["k"] }] }, { k: "x" }],
  [
    {
      $defs: { step: { type: "object", properties: { t: { type: "string" } }, required: ["t"] } },
      type: "object",
      properties: { steps: { type: "array", items: { $ref: "#/$defs/step" }, minItems: 1 } },
      required: ["steps"],
    },
    { steps: [{ t: "" }] },
  ],
  [
    {
      allOf: [
        { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
        { properties: { b: { type: "integer" } }, required: ["b"] },
      ],
    },
    { a: "", b: 0 },
  ],
];

test.each(schemas)("the value for schema %# is small and valid", (schema, expected) => {
  const value = minimalValue(schema);
  if (expected !== undefined) expect(value).toEqual(expected);
  const ajv = new Ajv2020({ strict: false });
  expect(ajv.validate(schema, value), JSON.stringify(ajv.errors)).toBe(true);
});

test("a schema that requires itself for ever still ends", () => {
  const endless = { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] };
  expect(JSON.stringify(minimalValue(endless)).length).toBeLessThan(2000);
  expect(minimalValue({ $ref: "#" })).toEqual({});
});
