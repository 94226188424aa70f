/** Schemas a careless or hostile plugin might bring; each must still give an editor. */
export const hostileSchemas: readonly { readonly name: string; readonly schema: unknown }[] = [
  { name: "empty", schema: {} },
  { name: "true", schema: true },
  { name: "a list", schema: [] },
  { name: "no type", schema: { description: "anything" } },
  { name: "a reference to nowhere", schema: { $ref: "#/$defs/gone" } },
  { name: "a reference to itself", schema: { $ref: "#" } },
  {
    name: "a tree without end",
    schema: {
      type: "object",
      properties: { name: { type: "string" }, child: { $ref: "#" } },
    },
  },
  { name: "a foreign reference", schema: { $ref: "https://example.com/schema.json" } },
  { name: "properties that are none", schema: { type: "object", properties: "oops" } },
  {
    name: "members that are no schemas",
    schema: { type: "object", properties: { a: null, b: 3, c: "x", d: [], e: true, f: false } },
  },
  { name: "a pattern that is none", schema: { type: "string", pattern: "([" } },
  {
    name: "a pattern for names that is none",
    schema: {
      type: "object",
      patternProperties: { "([": { type: "string" } },
      additionalProperties: { type: "string" },
    },
  },
  {
    name: "names of prototypes",
    schema: {
      type: "object",
      properties: {
        constructor: { type: "string" },
        toString: { type: "string" },
        hasOwnProperty: { type: "number" },
      },
    },
  },
  {
    name: "markup everywhere",
    schema: {
      type: "object",
      title: "<script>alert(1)</script>",
      properties: {
        "<img src=x onerror=alert(1)>": {
          type: "string",
          title: "<b>bold</b>",
          description: "<img src=x onerror=\"document.title='broken'\">",
          examples: ["<i>"],
        },
      },
    },
  },
  {
    name: "choices of objects",
    schema: { type: "object", properties: { a: { enum: [{ b: 1 }, [2], null] } } },
  },
  { name: "no choice at all", schema: { type: "object", properties: { a: { enum: [] } } } },
  {
    name: "alternatives of everything",
    schema: {
      oneOf: [{ type: "string" }, { type: "object", properties: { x: { type: "number" } } }, true],
    },
  },
  {
    name: "several types",
    schema: { type: "object", properties: { a: { type: ["string", "number", "array"] } } },
  },
  {
    name: "nested deeper than anybody reads",
    schema: Array.from({ length: 40 }).reduce<object>(
      (inner) => ({ type: "object", properties: { deeper: inner } }),
      { type: "string" },
    ),
  },
  {
    name: "five hundred members",
    schema: {
      type: "object",
      properties: Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [`member${index}`, { type: "string" }]),
      ),
    },
  },
];
