import { afterAll, beforeAll, expect, test } from "vitest";
import { createApiKeyValue } from "../access/api-key-format.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  gateway.snapshot.setConnection("second", "echo", { config: { label: "second:" } });
});
afterAll(() => gateway.stop());

async function call(vmx: unknown, model = "demo", key = gateway.apiKey) {
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], vmx }),
  });
  const body = await response.json();
  return { status: response.status, body, headers: response.headers };
}

const override = (overrides: unknown, model?: string) =>
  call({ resourceConfigOverrides: overrides }, model);

test("an override changes this request and no later one", async () => {
  const moved = await override({ model: { connectionName: "SECOND", model: "echo" } });
  expect(moved.body.choices[0].message.content).toBe("second: hi");
  expect(moved.headers.get("x-vmx-resource-id")).not.toBe("ephemeral");
  const later = await call(undefined);
  expect(later.body.choices[0].message.content).toBe("hi");
});

test("an override of the model alone keeps the stored connection", async () => {
  const { body } = await override({ model: { model: "echo-tokens-3" } });
  expect(body.usage.completion_tokens).toBe(3);
});

test("overridden fallbacks run with their own tuning", async () => {
  const { status, headers, body } = await override({
    model: { model: "echo-status-503" },
    fallbackModels: [{ connectionName: "second", model: "echo", maxRetries: 1, timeoutMs: 1000 }],
  });
  expect(status).toBe(200);
  expect(headers.get("x-vmx-event-count")).toBe("1");
  expect(body.choices[0].message.content).toBe("second: hi");
  expect(
    (await override({
      model: { model: "echo-status-503" },
      fallbackModels: [{ connectionName: "second", model: "echo" }],
      useFallback: false,
    })).status,
  ).toBe(503);
});

test("overridden default arguments merge over the stored ones and under the body", async () => {
  const echo = gateway.snapshot.setConnection("echo", "echo");
  gateway.snapshot.setResource("args", {
    connectionId: echo.connectionId,
    provider: "echo",
    model: "echo",
  }, { defaultArgs: { metadata: { a: "stored", b: "stored" } } });
  await override({ defaultArgs: { metadata: { b: "override", c: "override" } } }, "args");
  const { exchange } = gateway.outcomes.at(-1)!;
  expect(exchange.target).toMatchObject({
    resource: { defaultArgs: { metadata: { a: "stored", b: "override", c: "override" } } },
  });
});

test("a name without a resource becomes one for this request when the overrides name a model", async () => {
  const { status, headers } = await override(
    { model: { connectionName: "second", model: "echo" } },
    "made-up",
  );
  expect(status).toBe(200);
  expect(headers.get("x-vmx-resource-id")).toBe("ephemeral");
  const none = await override({ useFallback: true }, "made-up");
  expect(none.body.error.code).toBe("AI_RESOURCE_NOT_FOUND");
});

test("key and environment must both allow overrides", async () => {
  const value = createApiKeyValue();
  gateway.snapshot.setApiKey(value, { allowOverrides: false });
  const { status, body } = await call({ resourceConfigOverrides: {} }, "demo", value);
  expect(status).toBe(403);
  expect(body.error.code).toBe("overrides_not_allowed");
});

test.each([
  [{ model: { connectionName: "nowhere", model: "m" } }, "model"],
  [
    { fallbackModels: [{ connectionName: "second", model: "m" }, { model: "m" }] },
    "fallbackModels[1]",
  ],
  [{ secondaryModels: [{ connectionId: crypto.randomUUID(), model: "m" }] }, "secondaryModels[0]"],
  [{ model: { connectionName: "second", provider: "other", model: "m" } }, "model"],
  [{ model: { maxRetries: 11 } }, "model.maxRetries"],
  [{ model: { timeoutMs: 99 } }, "model.timeoutMs"],
  [{ unknown: 1 }, "unknown"],
  [{ defaultArgs: { stream: true } }, "defaultArgs.stream"],
  [
    { routing: { conditions: [{ expression: "true", then: { model: "m" } }] } },
    "routing.conditions[0].then",
  ],
  [
    { routing: { conditions: [{ if: [{ field: "hasTools" }], action: "BLOCK" }] } },
    "routing.conditions[0].if[0].operator",
  ],
  [{ routing: { when: [] } }, "routing.when"],
])("the override %j is refused naming %s", async (overrides, path) => {
  const { status, body } = await override(overrides);
  expect(status).toBe(400);
  expect(body.error.code).toBe("invalid_request");
  expect(body.error.param).toBe(`vmx.resourceConfigOverrides.${path}`);
});

test("overridden rules decide for this request, merged over the stored ones", async () => {
  const rule = {
    expression: "metadata.tier == 'gold'",
    then: { connectionName: "second", model: "echo" },
  };
  const routing = { enabled: true, conditions: [rule] };
  const gold = { metadata: { tier: "gold" } };
  const routed = await call({ ...gold, resourceConfigOverrides: { routing } });
  expect(routed.body.choices[0].message.content).toBe("second: hi");
  expect((await call(gold)).body.choices[0].message.content).toBe("hi");
  const off = await call({
    ...gold,
    resourceConfigOverrides: { routing: { ...routing, enabled: false } },
  });
  expect(off.body.choices[0].message.content).toBe("hi");
  const { body } = await override({
    routing: { conditions: [{ ...rule, expression: "tokens." }] },
  });
  expect(body.error).toMatchObject({
    code: "EXPRESSION_INVALID",
    param: "vmx.resourceConfigOverrides.routing.conditions[0].expression",
  });
});

test("a call of a connection has nothing to override", async () => {
  expect((await override({}, "echo/echo")).body.error.code).toBe("invalid_request");
});

test("limits of an override add to the stored ones and never replace them", async () => {
  const echo = gateway.snapshot.setConnection("echo", "echo");
  const stored = { period: "minute", requests: 1000, tokens: null, enabled: true };
  gateway.snapshot.setResource("limited", {
    connectionId: echo.connectionId,
    provider: "echo",
    model: "echo",
  }, { capacity: [stored], enforceCapacity: true });
  await override({
    capacity: [{ period: "minute", requests: 5, tokens: null }],
    enforceCapacity: false,
  }, "limited");
  const { exchange } = gateway.outcomes.at(-1)!;
  expect(exchange.target).toMatchObject({ resource: { enforceCapacity: true } });
  const { resource } = exchange.target as unknown as { resource: { capacity: unknown[] } };
  expect(resource.capacity).toHaveLength(2);
  expect(resource.capacity[0]).toEqual(stored);
});
