import type { Routing } from "@vmx/schemas";
import { Routing as RoutingSchema } from "@vmx/schemas";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { GatewayError } from "../contract/errors.ts";
import { normaliseRouting } from "./normalise-routing.ts";
import { slot } from "./testing.ts";

/** Numbers ids in the order they are made. */
function counter(): () => string {
  let count = 0;
  return () => `id-${++count}`;
}

function normalise(...conditions: unknown[]): ReturnType<typeof normaliseRouting>["conditions"] {
  const routing = { enabled: true, conditions };
  return normaliseRouting(routing, { createId: counter() }).conditions;
}

function refusal(input: unknown): GatewayError {
  try {
    normaliseRouting(input);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("It was accepted");
}

function faultOf(route: object): string {
  const error = refusal({ conditions: [{ then: slot, ...route }] });
  return `${error.code} ${error.param}: ${error.faults![0]!.message}`;
}

const equalModel = { expression: "request.model", comparator: "EQUAL", value: "x" };

test("the stored form passes as it is, and fits its schema once its slots are resolved", () => {
  const stored: Routing = {
    enabled: true,
    conditions: [
      {
        type: "group",
        id: "long",
        description: "Long prompts",
        enabled: true,
        mode: "UI",
        operator: "OR",
        conditions: [
          {
            type: "condition",
            id: "c1",
            label: "many tokens",
            enabled: false,
            expression: "tokens.input",
            comparator: "GREATER_THAN",
            value: { type: "number", expression: "4000" },
            window: 5,
          },
          {
            type: "group",
            id: "g1",
            enabled: true,
            operator: "AND",
            conditions: [{
              type: "condition",
              id: "c2",
              enabled: true,
              expression: "request.user",
              comparator: "EXISTS",
              value: { type: "string" },
            }],
          },
        ],
        action: "CALL_MODEL",
        then: { ...slot, provider: "echo", maxRetries: 0, timeoutMs: null, traffic: 50 },
      },
      {
        type: "group",
        id: "night",
        description: null,
        enabled: true,
        mode: "ADVANCED",
        operator: "AND",
        expression: "now.hour < 6",
        action: "BLOCK",
        then: null,
      },
    ],
  };
  expect(normaliseRouting(stored)).toEqual(stored);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(RoutingSchema);
  expect(validate(stored), JSON.stringify(validate.errors)).toBe(true);
});

test("a list under `if` is an AND group, and what is missing gets its default", () => {
  expect(
    normalise({ if: [{ field: "request.model", operator: "equals", value: "x" }], then: slot }),
  )
    .toEqual([{
      type: "group",
      id: "id-1",
      description: null,
      enabled: true,
      mode: "UI",
      operator: "AND",
      conditions: [{
        type: "condition",
        id: "id-2",
        enabled: true,
        expression: "request.model",
        comparator: "EQUAL",
        value: { type: "string", expression: "x" },
      }],
      action: "CALL_MODEL",
      then: { ...slot, traffic: null },
    }]);
});

test.each([
  ["equals", "EQUAL"],
  ["notEquals", "NOT_EQUAL"],
  ["lessThan", "LESS_THAN"],
  ["lessThanOrEquals", "LESS_THAN_OR_EQUAL"],
  ["greaterThan", "GREATER_THAN"],
  ["greaterThanOrEquals", "GREATER_THAN_OR_EQUAL"],
  ["contains", "CONTAINS"],
  ["notContains", "NOT_CONTAINS"],
  ["startsWith", "STARTS_WITH"],
  ["endsWith", "ENDS_WITH"],
  ["matches", "PATTERN"],
  ["in", "IN"],
  ["notIn", "NOT_IN"],
  ["exists", "EXISTS"],
  ["GREATER_THAN", "GREATER_THAN"],
])("the operator %s is stored as %s", (operator, comparator) => {
  const [route] = normalise({ if: [{ field: "request.model", operator, value: "1" }], then: slot });
  expect(route!.conditions![0]).toMatchObject({ comparator });
});

test.each([
  [{ field: "requestTokens" }, "tokens.input"],
  [{ field: "hasTools" }, "request.toolsCount > 0"],
  [{ field: "errorRate" }, `errorRate(10, "any")`],
  [{ field: "errorRate", window: 5 }, `errorRate(5, "any")`],
  [{ field: "errorRate", window: 5, statusCode: 429 }, "errorRate(5, 429)"],
  [{ expression: "errorRate", window: 30 }, `errorRate(30, "any")`],
  [{ field: "metadata.tier" }, "metadata.tier"],
  [{ field: "model" }, "request.model"],
  [{ field: "provider" }, "resource.model.provider"],
  [{ field: "request.temperature" }, "request.temperature"],
  [{ expression: "<%= request.user %>" }, "request.user"],
  [{ expression: " <% return request.user; %> " }, "request.user"],
])("the left side of %j is stored as %s", (left, expression) => {
  const [route] = normalise({ if: [{ ...left, operator: "equals", value: 1 }], then: slot });
  expect(route!.conditions![0]).toMatchObject({ expression });
});

test.each([
  [20, { type: "number", expression: "20" }],
  [true, { type: "boolean", expression: "true" }],
  ["gold", { type: "string", expression: "gold" }],
  [["a", "b"], { type: "json-array", expression: `["a","b"]` }],
  [null, { type: "string" }],
  [{ type: "number", expression: "20" }, { type: "number", expression: "20" }],
  [{ type: "number", expression: 20 }, { type: "number", expression: "20" }],
  [{ type: "number" }, { type: "number" }],
  [{ expression: { a: 1 } }, { type: "json-object", expression: `{"a":1}` }],
  ["<%= 20 %>", { type: "string", expression: "20" }],
  ["<%= 'gold' %>", { type: "string", expression: "gold" }],
])("the value %j is stored as %j", (value, stored) => {
  const [route] = normalise({ conditions: [{ ...equalModel, value }], then: slot });
  expect(route!.conditions![0]).toMatchObject({ value: stored });
});

test.each([
  ["advanced", { expression: "true" }, "ADVANCED"],
  ["ui", { conditions: [] }, "UI"],
  [undefined, { expression: "true" }, "ADVANCED"],
  [undefined, { if: [] }, "UI"],
  ["advanced", { expression: "true", conditions: [] }, "ADVANCED"],
  ["ui", { expression: "true" }, "ADVANCED"],
  ["advanced", { if: [] }, "UI"],
  ["ui", { mode: "Advanced", expression: "true", conditions: [] }, "ADVANCED"],
  ["advanced", { mode: "ui", expression: "true", conditions: [] }, "UI"],
])("with mode %s on the block, %j has mode %s", (mode, route, expected) => {
  const { conditions } = normaliseRouting({ mode, conditions: [{ ...route, then: slot }] });
  expect(conditions[0]!.mode).toBe(expected);
});

test("a block that does not say it is enabled is not", () => {
  expect(normaliseRouting({ conditions: [] })).toEqual({ enabled: false, conditions: [] });
  expect(normaliseRouting({}).enabled).toBe(false);
});

test("a disabled route may have no slot, and a blocking one has none", () => {
  const [disabled, blocking] = normalise({ if: [], enabled: false }, {
    if: [],
    action: "block",
    then: slot,
  });
  expect(disabled!.then).toBeNull();
  expect(blocking).toMatchObject({ action: "BLOCK", then: null });
});

test.each([
  [{ if: [], then: undefined }, "invalid_request routing.conditions[0].then: a slot"],
  [{ if: [], then: "x" }, "VALIDATION_FAILED routing.conditions[0].then: must be an object"],
  [
    { if: [], then: { ...slot, traffic: 101 } },
    "VALIDATION_FAILED routing.conditions[0].then.traffic",
  ],
  [{ if: [], conditions: [] }, "VALIDATION_FAILED routing.conditions[0].if: cannot stand beside"],
  [{}, "VALIDATION_FAILED routing.conditions[0].conditions: is required"],
  [{ mode: "ADVANCED" }, "VALIDATION_FAILED routing.conditions[0].expression: is required"],
  [{ mode: "MAGIC", if: [] }, "VALIDATION_FAILED routing.conditions[0].mode: must be one of"],
  [{ if: [], wenn: 1 }, "VALIDATION_FAILED routing.conditions[0].wenn: is not known here"],
  [{ if: [], action: "SHRUG" }, "VALIDATION_FAILED routing.conditions[0].action: must be one of"],
  [{ if: [], operator: "XOR" }, "VALIDATION_FAILED routing.conditions[0].operator: must be one"],
  [{ if: [], description: "x".repeat(201) }, "VALIDATION_FAILED routing.conditions[0].description"],
  [{ if: {} }, "VALIDATION_FAILED routing.conditions[0].if: must be a list"],
  [{ if: ["x"] }, "VALIDATION_FAILED routing.conditions[0].if[0]: must be an object"],
  [
    { if: [{ ...equalModel, comparator: "LIKE" }] },
    `VALIDATION_FAILED routing.conditions[0].if[0].comparator: unknown comparator "LIKE"`,
  ],
  [
    { if: [{ field: "request.model", operator: "like" }] },
    `VALIDATION_FAILED routing.conditions[0].if[0].operator: unknown comparator "like"; there are EQUAL, NOT_EQUAL`,
  ],
  [
    { if: [{ ...equalModel, expression: undefined }] },
    "VALIDATION_FAILED routing.conditions[0].if[0].expression: is required",
  ],
  [
    { if: [{ ...equalModel, expression: "a<%= b %>" }] },
    "EXPRESSION_INVALID routing.conditions[0].if[0].expression: template marks",
  ],
  [
    { expression: "<%= a %> == <%= b %>" },
    "EXPRESSION_INVALID routing.conditions[0].expression: template marks",
  ],
  [
    { expression: "x".repeat(4097) },
    "EXPRESSION_INVALID routing.conditions[0].expression: the expression has 4097 characters",
  ],
  [
    { if: [{ ...equalModel, value: "<%= request.user %>" }] },
    "EXPRESSION_INVALID routing.conditions[0].if[0].value: the right side is a literal",
  ],
  [
    { if: [{ ...equalModel, value: { type: "date", expression: "x" } }] },
    "VALIDATION_FAILED routing.conditions[0].if[0].value.type: must be one of",
  ],
  [
    { if: [{ ...equalModel, window: 181 }] },
    "VALIDATION_FAILED routing.conditions[0].if[0].window: must be a whole number",
  ],
  [
    {
      conditions: [equalModel, { operator: "OR", conditions: [{ ...equalModel, comparator: 1 }] }],
    },
    "VALIDATION_FAILED routing.conditions[0].conditions[1].conditions[0].comparator: unknown",
  ],
])("%j is refused where the fault is", (route, expected) => {
  expect(faultOf(route)).toContain(expected);
});

test("a fault names its member by JSON pointer, and the slot it lies in", () => {
  const { faults } = refusal({ conditions: [{ if: [equalModel], then: slot }, { if: [] }] });
  expect(faults).toEqual([{
    path: "/routing/conditions/1/then",
    code: "invalid_request",
    message: "a slot with a connection and a model is required",
    slot: "routing.conditions[1].then",
  }]);
});

test("all faults are told at once", () => {
  const route = { if: [{ ...equalModel, comparator: "LIKE", window: 0 }], then: slot };
  expect(refusal({ conditions: [route, route] }).faults).toHaveLength(4);
});

test("no more than 100 routes, 200 conditions and 5 levels are taken", () => {
  const route = { if: [equalModel], then: slot };
  const nested = (depth: number): object =>
    depth === 1 ? equalModel : { conditions: [nested(depth - 1)] };
  const routes = (count: number) => Array.from({ length: count }, () => route);
  const conditions = (count: number) => ({ if: Array(count).fill(equalModel), then: slot });
  expect(normalise(...routes(100))).toHaveLength(100);
  expect(refusal({ conditions: routes(101) }).message).toContain("at most 100");
  expect(normalise(conditions(100), conditions(100))).toHaveLength(2);
  expect(refusal({ conditions: [conditions(100), conditions(101)] }).faults).toEqual([
    expect.objectContaining({ path: "/routing/conditions/1/if/100" }),
  ]);
  expect(normalise({ if: [nested(5)], then: slot })).toHaveLength(1);
  expect(refusal({ conditions: [{ if: [nested(6)], then: slot }] }).message).toContain("5 levels");
});

test("two routes cannot have one id", () => {
  const route = { id: "same", if: [], then: slot };
  expect(refusal({ conditions: [route, route] }).param).toBe("routing.conditions[1].id");
});

test.each([null, 1, "x", [], { conditions: {} }, { routes: [] }, { enabled: "yes" }])(
  "%j is no routing block",
  (input) => {
    expect(refusal(input).code).toBe("VALIDATION_FAILED");
  },
);
