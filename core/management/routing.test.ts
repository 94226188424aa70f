import type { Routing } from "@vmx/schemas";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyOverrides } from "../gateway/overrides.ts";
import type { GatewayError, JsonObject } from "../contract/index.ts";
import { startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let base: string;
let echo: string;

beforeAll(async () => {
  plane = await startTestManagement();
  base = plane.environmentPath;
  const { body } = await plane.call("GET", `${base}/ai-connections?name=echo`);
  echo = body.data[0].connectionId;
});
afterAll(() => plane.stop());

let created = 0;

async function create(routing: unknown, extra: object = {}) {
  const name = `routed-${++created}`;
  const model = { connectionName: "echo", model: "echo" };
  return await plane.call("POST", `${base}/ai-resources`, { name, model, routing, ...extra });
}

/** Creates a resource and answers its path. */
async function saved(routing: unknown, extra: object = {}): Promise<string> {
  const answer = await create(routing, extra);
  expect(answer.status, answer.text).toBe(201);
  return `${base}/ai-resources/${answer.body.resourceId}`;
}

async function createConnection(name: string): Promise<string> {
  const answer = await plane.call("POST", `${base}/ai-connections`, {
    name,
    provider: "echo",
    config: {},
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.connectionId;
}

const slot = { connectionName: "echo", model: "big" };
const condition = { field: "requestTokens", operator: "greaterThan", value: 100 };
const long = { description: "long", if: [condition], then: slot };
const rules = (...conditions: unknown[]) => ({ enabled: true, conditions });

test("rules of the second spelling are stored and read back in the stored form", async () => {
  const path = await saved({
    enabled: true,
    mode: "ui",
    conditions: [
      {
        description: "Busy hours",
        if: [
          { field: "errorRate", operator: "greaterThanOrEquals", value: 20, window: 5 },
          { field: "metadata.tier", operator: "in", value: ["gold", "silver"] },
        ],
        then: { ...slot, provider: "echo", traffic: 25 },
      },
      { mode: "advanced", expression: "<%= tokens.input > 10 %>", action: "block" },
    ],
  });
  const { body } = await plane.call("GET", path);
  const routing = body.routing as Routing;
  expect(routing).toEqual({
    enabled: true,
    conditions: [
      {
        type: "group",
        id: expect.any(String),
        description: "Busy hours",
        enabled: true,
        mode: "UI",
        operator: "AND",
        conditions: [
          {
            type: "condition",
            id: expect.any(String),
            enabled: true,
            expression: 'errorRate(5, "any")',
            comparator: "GREATER_THAN_OR_EQUAL",
            value: { type: "number", expression: "20" },
            window: 5,
          },
          {
            type: "condition",
            id: expect.any(String),
            enabled: true,
            expression: "metadata.tier",
            comparator: "IN",
            value: { type: "json-array", expression: '["gold","silver"]' },
          },
        ],
        action: "CALL_MODEL",
        then: {
          connectionId: echo,
          provider: "echo",
          model: "big",
          maxRetries: 0,
          timeoutMs: null,
          traffic: 25,
        },
      },
      {
        type: "group",
        id: expect.any(String),
        description: null,
        enabled: true,
        mode: "ADVANCED",
        operator: "AND",
        expression: "tokens.input > 10",
        action: "BLOCK",
        then: null,
      },
    ],
  });
  const again = await plane.call("PATCH", path, { routing });
  expect(again.body.routing).toEqual(routing);
  const loaded = plane.loader.current().environments.get(plane.firstRun.environmentId)!
    .resources.get(body.resourceId)!;
  expect(loaded.routing).toEqual(routing);
});

test("a patch merges the rules, replaces their list, and null takes them away", async () => {
  const path = await saved(rules(long));
  const before = (await plane.call("GET", path)).body.routing;
  const off = await plane.call("PATCH", path, { routing: { enabled: false } });
  expect(off.body.routing).toEqual({ ...before, enabled: false });
  const other = await plane.call("PATCH", path, {
    routing: { conditions: [{ expression: "hasTools", action: "BLOCK" }] },
  });
  expect(other.body.routing).toMatchObject({ enabled: false, conditions: [{ mode: "ADVANCED" }] });
  const untouched = await plane.call("PATCH", path, { model: { model: "other" } });
  expect(untouched.body.routing).toEqual(other.body.routing);
  const gone = await plane.call("PATCH", path, { routing: null });
  expect([gone.status, gone.body.routing]).toEqual([200, null]);
});

test("the rules of the documentation are accepted, and both spellings of one are equal", async () => {
  const text = await readFile(new URL("../../docs/routing.md", import.meta.url), "utf8");
  const examples = [...text.matchAll(/```json\n([^]+?)```/g)].map(([, json]) => json!);
  expect(examples).toHaveLength(3);
  const stored = await Promise.all(examples.map(async (json) => {
    const { routing } = JSON.parse(json.replaceAll(/"(openai|anthropic)-prod"/g, '"echo"'));
    return (await plane.call("GET", await saved(routing))).body.routing as Routing;
  }));
  const [written, short] = stored.map((routing) =>
    JSON.parse(JSON.stringify(routing, (name, value) => name === "id" ? "" : value))
  );
  short.conditions[0].conditions[1].value = written.conditions[0].conditions[1].value;
  expect(short).toEqual(written);
});

const nested = (depth: number): unknown =>
  depth === 0 ? condition : { type: "group", conditions: [nested(depth - 1)] };
const route = { if: [condition], then: slot };

test.each<[what: string, routing: unknown, code: string, path: string]>([
  [
    "101 routes",
    rules(...Array(101).fill(route)),
    "VALIDATION_FAILED",
    "/routing/conditions",
  ],
  [
    "201 conditions",
    rules({ if: Array(201).fill(condition), then: slot }),
    "VALIDATION_FAILED",
    "/routing/conditions/0",
  ],
  [
    "groups in six levels",
    rules({ conditions: [nested(5)], then: slot }),
    "VALIDATION_FAILED",
    "/routing/conditions/0",
  ],
  [
    "an expression of 4,097 characters",
    rules({ expression: `lower("${"a".repeat(4090)}")`, then: slot }),
    "EXPRESSION_INVALID",
    "/routing/conditions/0/expression",
  ],
  [
    "an expression of more than 500 nodes",
    rules({ expression: Array(502).fill("1").join("+"), then: slot }),
    "EXPRESSION_INVALID",
    "/routing/conditions/0/expression",
  ],
  [
    "an unknown comparator",
    rules({ if: [{ ...condition, operator: "resembles" }], then: slot }),
    "VALIDATION_FAILED",
    "/routing/conditions/0/if/0/operator",
  ],
  [
    "an unknown variable",
    rules(route, { expression: "tokens.output > 1", then: slot }),
    "EXPRESSION_INVALID",
    "/routing/conditions/1/expression",
  ],
  ["a missing slot", rules({ if: [condition] }), "invalid_request", "/routing/conditions/0/then"],
  [
    "an unknown connection",
    rules(route, { ...route, then: { connectionName: "nowhere", model: "m" } }),
    "invalid_request",
    "/routing/conditions/1/then",
  ],
  [
    "a slot without a connection",
    rules({ ...route, then: { model: "m" } }),
    "invalid_request",
    "/routing/conditions/0/then",
  ],
  [
    "a slot of another provider",
    rules({ ...route, then: { ...slot, provider: "groq" } }),
    "invalid_request",
    "/routing/conditions/0/then",
  ],
  [
    "traffic of 101 percent",
    rules({ ...route, then: { ...slot, traffic: 101 } }),
    "VALIDATION_FAILED",
    "/routing/conditions/0/then/traffic",
  ],
  [
    "an unknown member",
    rules({ ...route, otherwise: slot }),
    "VALIDATION_FAILED",
    "/routing/conditions/0/otherwise",
  ],
  [
    "two routes of one id",
    rules({ ...route, id: "a" }, { ...route, id: "a" }),
    "VALIDATION_FAILED",
    "/routing/conditions/1/id",
  ],
  ["text", "fast", "VALIDATION_FAILED", "/routing"],
])("%s is refused at its place, whether created, changed or tried out", async (
  _what,
  routing,
  code,
  path,
) => {
  const resource = await saved(null);
  const answers = [
    await create(routing),
    await plane.call("PATCH", resource, { routing }),
    await plane.call("POST", `${resource}/route-test`, { ...question, resource: { routing } }),
  ];
  for (const [index, { body, status, text }] of answers.entries()) {
    expect([status, body.code], text).toEqual([400, code]);
    expect(body.errors[0].path, text).toContain(index === 2 ? `/resource${path}` : path);
  }
});

const question = { dialect: "openai-chat", body: { messages: [{ role: "user", content: "hi" }] } };

async function tryRoute(path: string, given: object = {}) {
  const answer = await plane.call("POST", `${path}/route-test`, { ...question, ...given });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

test("an expression has one verdict, whichever way it comes in", async () => {
  const examples = new URL("../../plugins/routing-jexl/examples.ts", import.meta.url);
  const { hostileExpressions } = await import(examples.href) as { hostileExpressions: string[] };
  const sample = hostileExpressions.filter((text, index) => index % 16 === 0 && text.length < 5000);
  expect(sample.length).toBeGreaterThan(20);
  const path = await saved(null);
  const { resourceId } = (await plane.call("GET", path)).body;
  const environment = plane.loader.current().environments.get(plane.firstRun.environmentId)!;
  const caller = { kind: "user", userId: "someone", environment } as const;
  const stored = environment.resources.get(resourceId)!;
  const verdicts = new Set<string | undefined>();
  for (const expression of sample) {
    const routing = rules({ id: "r", expression, then: slot });
    const override = await applyOverrides(
      caller,
      stored,
      { routing } as JsonObject,
      "x",
      plane.host,
    )
      .then(
        () => undefined,
        (error: GatewayError) => ({ code: error.code, detail: error.message }),
      );
    const overridden = await tryRoute(path, {
      body: { ...question.body, vmx: { resourceConfigOverrides: { routing } } },
    });
    const told = [
      override,
      overridden.errors.map(({ code, message }: { code: string; message: string }) => ({
        code,
        detail: message,
      }))[0],
      ...[
        await create(routing),
        await plane.call("PATCH", path, { routing }),
        await plane.call("POST", `${path}/route-test`, { ...question, resource: { routing } }),
        await plane.call("POST", `${base}/ai-resources/draft/route-test`, {
          ...question,
          resource: { model: slot, routing },
        }),
      ].map(({ body, status }) => status < 400 ? undefined : body),
    ].map((refusal) => refusal && `${refusal.code} ${refusal.detail}`);
    expect(new Set(told).size, `${expression}: ${told.join("\n")}`).toBe(1);
    verdicts.add(told[0]?.split(" ")[0]);
  }
  // The sample has refused ones and harmless ones.
  expect([...verdicts].sort()).toEqual(["EXPRESSION_INVALID", undefined]);
});

test("detaching a connection disables the routes that lead to it, and only those", async () => {
  const connectionId = await createConnection("leaving");
  const target = { connectionName: "leaving", model: "m" };
  const path = await saved(
    rules({ ...route, then: target }, route, { expression: "hasTools", action: "BLOCK" }),
    { fallbackModels: [target] },
  );
  const { name, resourceId } = (await plane.call("GET", path)).body;
  const connection = `${base}/ai-connections/${connectionId}`;
  const references = await plane.call("GET", `${connection}/references`);
  expect(references.body.data).toEqual([
    { resourceId, resourceName: name, slot: "fallbackModels[0]" },
    { resourceId, resourceName: name, slot: "routing.conditions[0].then" },
  ]);
  const used = await plane.call("GET", `${base}/ai-resources?connectionId=${connectionId}`);
  expect(used.body.data).toHaveLength(1);
  const refused = await plane.call("DELETE", connection);
  expect([refused.status, refused.body.code]).toEqual([409, "CONNECTION_IN_USE"]);
  expect(refused.body.references).toHaveLength(2);
  expect((await plane.call("DELETE", `${connection}?detach=true`)).status).toBe(204);

  const { routing, fallbackModels } = (await plane.call("GET", path)).body;
  expect(fallbackModels).toEqual([]);
  const [lost, kept, block] = routing.conditions;
  expect([lost.enabled, lost.then]).toEqual([false, null]);
  expect([kept.enabled, kept.then.connectionId]).toEqual([true, echo]);
  expect([block.enabled, block.action]).toEqual([true, "BLOCK"]);
  // What is left can be sent back as it was read, and switched on only with a slot.
  expect((await plane.call("PATCH", path, { routing })).status).toBe(200);
  const on = await plane.call("PATCH", path, {
    routing: { conditions: [{ ...lost, enabled: true }] },
  });
  expect([on.status, on.body.code]).toEqual([400, "invalid_request"]);
});

test("rules go with every other change into the trail, and can be found by their connection", async () => {
  const path = await saved(null);
  await plane.call("PATCH", path, { routing: rules(route) });
  const { resourceId } = (await plane.call("GET", path)).body;
  const trail = await plane.call("GET", `${base}/activity?entityId=${resourceId}`);
  expect(trail.body.data[0].diff).toEqual([
    expect.objectContaining({ path: "/routing", op: "replace" }),
  ]);
});
