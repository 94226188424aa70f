import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json, JsonObject } from "../contract/json.ts";
import { downlevelSchema } from "./downlevel-schema.ts";
import { isObject } from "./json-text.ts";
import type { SchemaTarget } from "./schema-target.ts";

const narrow: SchemaTarget = {
  keywords: new Set([
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "default",
    "items",
    "minItems",
    "maxItems",
    "enum",
    "properties",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minProperties",
    "maxProperties",
    "anyOf",
  ]),
  formats: { string: ["date-time"], number: ["float", "double"], integer: ["int32", "int64"] },
  nullable: "nullable",
  takesEnumValue: (value) => typeof value === "string" && value !== "",
  itemsType: "string",
};

const rewrite = (schema: JsonObject, target = narrow) => downlevelSchema(schema, target);
const codes = (schema: JsonObject) =>
  rewrite(schema).warnings.map(({ code, path }) => `${code} ${path}`);

/** Every keyword of a schema, at any depth. */
function keywords(schema: Json | undefined, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) { for (const each of schema as Json[]) keywords(each, found); }
  if (!isObject(schema)) return found;
  for (const [name, value] of Object.entries(schema)) {
    found.add(name);
    if (name === "properties" && isObject(value)) {
      for (const each of Object.values(value)) keywords(each, found);
    } else if (name === "items" || name === "anyOf") keywords(value, found);
  }
  return found;
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** What must hold of every rewritten schema, whatever it came from. */
function expectLaws(schema: JsonObject): void {
  const before = JSON.stringify(schema);
  const { value, warnings } = rewrite(schema);
  expect(JSON.stringify(schema)).toBe(before);
  for (const keyword of keywords(value)) expect([...narrow.keywords]).toContain(keyword);
  const again = rewrite(value);
  expect(again.value).toEqual(value);
  expect(again.warnings).toEqual([]);
  expect(new Set(warnings.map(({ code, path }) => `${code} ${path}`)).size).toBe(warnings.length);
  for (const { path } of warnings) {
    if (path !== "") expect(path).toMatch(/^(\/([^~/]|~[01])*)+$/);
  }
}

test("references are put in place, and naming members go without a warning", () => {
  const { value, warnings } = rewrite({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      home: { $ref: "#/$defs/Address", description: "Where they live" },
      work: { $ref: "#/definitions/a~1b%20c" },
    },
    additionalProperties: true,
    $defs: { Address: { type: "object", properties: { street: { type: "string" } } } },
    definitions: { "a/b c": { type: "integer" } },
  });
  expect(value).toEqual({
    type: "object",
    properties: {
      home: {
        type: "object",
        description: "Where they live",
        properties: { street: { type: "string" } },
      },
      work: { type: "integer" },
    },
  });
  expect(warnings).toEqual([]);
});

test("a reference that leads nowhere is removed with a warning", () => {
  expect(codes({ properties: { a: { $ref: "#/$defs/no" }, b: { $ref: "https://x.test/s" } } }))
    .toEqual(["schema_simplified /properties/a/$ref", "schema_simplified /properties/b/$ref"]);
});

test("recursion is unrolled five times and cut with a warning that names its place", () => {
  for (const [name, schema] of Object.entries(recursive)) {
    const { value, warnings } = rewrite(schema);
    const text = JSON.stringify(value);
    expect(text.split('"label":').length - 1, name).toBe(5);
    expect(warnings).toContainEqual({
      code: "schema_recursion_cut",
      path: name === "by name" ? "/$defs/Node/properties/next/$ref" : "/properties/next/$ref",
      action: "dropped",
      detail: "The recursion is unrolled 5 times",
    });
  }
});

const node: JsonObject = { label: { type: "string" }, next: { $ref: "#" } };
const recursive: Readonly<Record<string, JsonObject>> = {
  "by name": {
    $ref: "#/$defs/Node",
    $defs: {
      Node: {
        type: "object",
        properties: { ...node, next: { $ref: "#/$defs/Node" } },
        required: ["label", "next"],
      },
    },
  },
  "by the root": { type: "object", properties: node },
};

test("a schema that grows without end is cut in time", () => {
  const names = Array.from({ length: 20 }, (_, at) => `level${at}`);
  const bomb: JsonObject = {
    $ref: "#/$defs/level0",
    $defs: Object.fromEntries(
      names.map((name, at) => [name, {
        type: "object",
        properties: Object.fromEntries(
          names.map((each) => [each, { $ref: `#/$defs/${names[(at + 1) % names.length]}` }]),
        ),
      }]),
    ),
  };
  const before = performance.now();
  const { value, warnings } = rewrite(bomb);
  expect(performance.now() - before).toBeLessThan(2000);
  expect(JSON.stringify(value).length).toBeLessThan(2_000_000);
  expect(warnings.some(({ code }) => code === "schema_recursion_cut")).toBe(true);
});

test("thousands of parts that all hold are merged in time", () => {
  const allOf = Array.from({ length: 10_000 }, (_, at) => ({
    type: "object",
    required: [`a${at}`],
    properties: { [`a${at}`]: { type: "string" } },
  }));
  const before = performance.now();
  const { value, warnings } = rewrite({ allOf });
  expect(performance.now() - before).toBeLessThan(2000);
  expect(value["required"]).toHaveLength(10_000);
  expect(warnings).toEqual([]);
});

test("endless depth and chains of references end in a warning, not in an overflow", () => {
  let deep: JsonObject = { type: "string" };
  for (let level = 0; level < 2000; level++) deep = { type: "array", items: deep };
  expect(depthOf(rewrite(deep).value)).toBeLessThan(200);
  const chain = Object.fromEntries(
    Array.from({ length: 5000 }, (_, at) => [`n${at}`, { $ref: `#/$defs/n${at + 1}` }]),
  );
  expect(codes({ $ref: "#/$defs/n0", $defs: chain })).toHaveLength(1);
  expect(rewrite({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }).value).toEqual({});
});

test("nullable unions keep their members in the target's form", () => {
  const expected = { type: "string", description: "d", maxLength: 5, nullable: true };
  const spellings: JsonObject[] = [
    { type: ["string", "null"], description: "d", maxLength: 5 },
    { anyOf: [{ type: "string", maxLength: 5 }, { type: "null" }], description: "d" },
    { oneOf: [{ type: "null" }, { type: "string", maxLength: 5, description: "d" }] },
    { anyOf: [{ $ref: "#/$defs/s" }, { const: null }], $defs: { s: expected } },
  ];
  for (const spelling of spellings) {
    expect(rewrite(spelling)).toEqual({ value: expected, warnings: [] });
  }
  expect(rewrite({ enum: ["a", null] }).value).toEqual({
    type: "string",
    enum: ["a"],
    nullable: true,
  });
  expect(rewrite({ type: "null" })).toEqual({ value: { type: "null" }, warnings: [] });
  const several = rewrite({ anyOf: [{ type: "string" }, { type: "integer" }, { type: "null" }] });
  expect(several.value).toEqual({
    anyOf: [{ type: "string" }, { type: "integer" }],
    nullable: true,
  });
});

test("targets with other nullable forms get theirs", () => {
  const schema = { type: ["string", "null"] };
  expect(rewrite(schema, { ...narrow, nullable: "type-list" }).value).toEqual(schema);
  expect(rewrite(schema, { ...narrow, nullable: "any-of" }).value).toEqual({
    anyOf: [{ type: "string" }, { type: "null" }],
  });
});

test("several types become a union in which each keeps what belongs to it", () => {
  expect(rewrite({ type: ["string", "array"], minLength: 1, maxItems: 3, title: "t" }).value)
    .toEqual({
      title: "t",
      anyOf: [
        { type: "string", minLength: 1 },
        { type: "array", maxItems: 3, items: { type: "string" } },
      ],
    });
});

test("a constant becomes an enum of one value", () => {
  expect(rewrite({ const: "a" })).toEqual({ value: { type: "string", enum: ["a"] }, warnings: [] });
});

test("values an enum cannot hold are told in the description", () => {
  const { value, warnings } = rewrite({ type: "integer", enum: [1, 2], description: "How many" });
  expect(value).toEqual({ type: "integer", description: "How many (One of: 1, 2)" });
  expect(warnings).toMatchObject([{ path: "/enum", action: "approximated" }]);
  expect(rewrite({ type: "string", enum: ["", "a"] }).value).toEqual({
    type: "string",
    enum: ["a"],
  });
});

test("every removal is a warning with its pointer", () => {
  expect(codes({
    type: "object",
    properties: {
      "a/b~c": { type: "string", format: "uuid", contentEncoding: "base64" },
      n: { type: "number", exclusiveMinimum: 0, format: "double" },
    },
    required: ["a/b~c", "ghost"],
    additionalProperties: false,
    if: { properties: { n: { const: 1 } } },
  })).toEqual([
    "schema_simplified /properties/a~1b~0c/contentEncoding",
    "schema_simplified /properties/a~1b~0c/format",
    "schema_simplified /properties/n/exclusiveMinimum",
    "schema_simplified /additionalProperties",
    "schema_simplified /if",
    "schema_simplified /required",
  ]);
});

test("parts that all hold are merged; only a real disagreement is a warning", () => {
  expect(rewrite({
    allOf: [
      { type: "object", properties: { a: { type: "number", minimum: 1 } }, required: ["a"] },
      { properties: { a: { type: "integer", minimum: 3 }, b: { type: "string" } } },
      { required: ["b"] },
    ],
  })).toEqual({
    value: {
      type: "object",
      properties: { a: { type: "integer", minimum: 3 }, b: { type: "string" } },
      required: ["a", "b"],
    },
    warnings: [],
  });
  expect(codes({ allOf: [{ pattern: "^a" }, { pattern: "b$" }] }))
    .toEqual(["schema_simplified /allOf"]);
});

test("a tuple becomes a list, and a list of anything a list of the target's type", () => {
  expect(rewrite({ type: "array", prefixItems: [{ type: "number" }, { type: "number" }] }).value)
    .toEqual({ type: "array", items: { type: "number" } });
  expect(rewrite({ type: "array", items: [{ type: "number" }, { type: "string" }] }).value)
    .toEqual({ type: "array", items: { anyOf: [{ type: "number" }, { type: "string" }] } });
  expect(rewrite({ type: "array" })).toMatchObject({
    value: { type: "array", items: { type: "string" } },
    warnings: [{ code: "schema_simplified", path: "/items", action: "approximated" }],
  });
});

test("types in other spellings are read", () => {
  expect(rewrite({ type: "dict", properties: { x: { type: "float" }, y: { type: "any" } } }).value)
    .toEqual({ type: "object", properties: { x: { type: "number" }, y: {} } });
  expect(rewrite({ type: "OBJECT", properties: { x: { type: "STRING" } } })).toEqual({
    value: { type: "object", properties: { x: { type: "string" } } },
    warnings: [],
  });
});

test("the path goes before every pointer", () => {
  const { warnings } = downlevelSchema({ not: {} }, narrow, "/tools/0/parameters");
  expect(warnings[0]?.path).toBe("/tools/0/parameters/not");
});

test("names that reach for a prototype stay names", () => {
  const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
  expect(JSON.stringify(rewrite(schema).value)).toBe(JSON.stringify(schema));
  expect(rewrite({ $ref: "#/__proto__" }).value).toEqual({});
  expect(rewrite({ type: "constructor", format: "x" }).value).toEqual({});
});

/** `nullable` is not of JSON Schema, and the validator knows it beside a single type only. */
function withoutNullable(schema: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(schema, (name, value: unknown) => (name === "nullable" ? undefined : value)),
  ) as JsonObject;
}

const leaf = fc.constantFrom<JsonObject>(
  { type: "string", maxLength: 3 },
  { type: ["integer", "null"], minimum: 0 },
  { const: "x" },
  { enum: ["a", "b", null] },
  { type: "boolean" },
  { $ref: "#" },
  { $ref: "#/$defs/a" },
  { $ref: "#/$defs/b", description: "b" },
  { not: { type: "string" } },
  {},
);
const schemas = fc.letrec<{ any: JsonObject }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({
      type: fc.constantFrom<Json>("object", ["object", "null"], "array"),
      properties: fc.dictionary(fc.constantFrom("a", "b", "c/d"), tie("any"), { maxKeys: 3 }),
      items: tie("any"),
      required: fc.subarray(["a", "b", "z"]),
      additionalProperties: fc.oneof(fc.boolean(), tie("any")),
    }, { requiredKeys: [] }),
    fc.record({
      anyOf: fc.array(tie("any"), { maxLength: 3 }),
      oneOf: fc.array(tie("any"), { maxLength: 2 }),
      allOf: fc.array(tie("any"), { maxLength: 2 }),
      nullable: fc.boolean(),
    }, { requiredKeys: [] }),
  ) as fc.Arbitrary<JsonObject>,
})).any;

test("whatever the schema, the result holds only what the target takes and needs no second pass", () => {
  fc.assert(
    fc.property(schemas, schemas, schemas, (root, a, b) => {
      expectLaws({ ...root, $defs: { a, b } });
    }),
    { numRuns: 60 },
  );
});

test("any JSON whatsoever is survived", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    rewrite((isObject(value) ? value : { properties: { value } }) as JsonObject);
  }));
});

const tools = join(
  process.env["VMX_FIXTURES"] ??
    fileURLToPath(new URL("../../../shared/fixtures", import.meta.url)),
  "tools",
);
const recorded = existsSync(tools)
  ? readdirSync(tools).filter((name) => name !== "index.json")
  : [];

test.skipIf(recorded.length === 0 && process.env["CI"] !== "true")(
  `every recorded tool keeps the laws and stays a valid schema (from ${tools})`,
  () => {
    expect(recorded.length).toBeGreaterThan(0);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const name of recorded) {
      const tool = JSON.parse(readFileSync(join(tools, name), "utf8")) as JsonObject;
      const schema = tool["parameters"] as JsonObject;
      expectLaws(schema);
      ajv.compile(withoutNullable(rewrite(schema).value) as Record<string, unknown>);
    }
  },
);
