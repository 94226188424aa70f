import type { Routing, RoutingInput } from "@vmx/schemas";
import fc from "fast-check";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ResourceView, SlotView } from "../store/snapshot.ts";
import { acceptRouting } from "./accept-routing.ts";
import { createSlot, startTestGateway, type TestGateway } from "./testing.ts";

let gateway: TestGateway;
let client: OpenAI;
let connections: Record<string, string>;

beforeAll(async () => {
  gateway = await startTestGateway();
  client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.apiKey, maxRetries: 0 });
  connections = Object.fromEntries(["big", "small", "spare"].map((name) => {
    const config = { label: `${name}:` };
    return [name, gateway.snapshot.setConnection(name, "echo", { config }).connectionId];
  }));
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.services.setRandom(() => 0));

const slot = (connection: string, model = "echo"): SlotView =>
  createSlot({ connectionId: connections[connection]!, provider: "echo", model });

/** A resource that answers `small: …`, or what its rules lead to. */
async function setRules(
  conditions: readonly object[],
  resource: Partial<ResourceView> = {},
  mode?: string,
): Promise<void> {
  const routing = await acceptRouting(
    { enabled: true, conditions, ...(mode ? { mode } : {}) } as RoutingInput,
    null,
    gateway.host,
  );
  gateway.snapshot.setResource("ruled", slot("small"), {
    routing: routing as unknown as Routing,
    ...resource,
  });
}

async function ask(
  body: object = {},
  { headers = {}, content = "hi" }: { headers?: Record<string, string>; content?: string } = {},
) {
  const { data, response } = await client.chat.completions.create(
    {
      model: "ruled",
      messages: [{ role: "user", content }],
      ...body,
    } as OpenAI.ChatCompletionCreateParamsNonStreaming,
    { headers },
  ).withResponse();
  const text = data.choices[0]!.message.content!;
  return { text, by: text.split(":")[0], headers: response.headers, data };
}

const lastTrace = () => gateway.outcomes.at(-1)!.exchange.routing!;

test("a long prompt goes to the model its rule names, in either spelling of the rule", async () => {
  const rules: [object, string?][] = [
    [{ if: [{ field: "requestTokens", operator: "greaterThan", value: 500 }], then: slot("big") }],
    [{
      conditions: [{
        type: "condition",
        expression: "tokens.input",
        comparator: "GREATER_THAN",
        value: { type: "number", expression: "500" },
      }],
      then: slot("big"),
    }],
    [{ expression: "tokens.input > 500", then: slot("big") }],
    [{ expression: "<%= requestTokens > 500 %>", then: slot("big") }, "advanced"],
  ];
  for (const [rule, mode] of rules) {
    await setRules([rule], {}, mode);
    expect((await ask()).by).toBe("small");
    expect((await ask({}, { content: "word ".repeat(600) })).by).toBe("big");
  }
});

test("a routed answer says so in headers, body and trace", async () => {
  await setRules([{
    description: "tools",
    expression: "hasTools",
    then: slot("big", "echo-tokens-3"),
  }]);
  const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" } } }];
  const { headers, data } = await ask({ tools });
  expect(headers.get("x-vmx-model")).toBe("echo-tokens-3");
  expect(headers.get("x-vmx-connection-id")).toBe(connections["big"]);
  expect(Number(headers.get("x-vmx-routing-duration-ms"))).toBeGreaterThanOrEqual(0);
  expect(headers.get("x-vmx-event-count")).toBe("1");
  expect(headers.get("x-vmx-event-0-type")).toBe("routing");
  expect(headers.get("x-vmx-event-0-routing-original-model")).toBe("echo");
  expect(headers.get("x-vmx-event-0-routing-routed-model")).toBe("echo-tokens-3");
  const { vmx } = data as unknown as { vmx: { events: object[]; metrics: object } };
  expect(vmx.events).toMatchObject([{
    type: "routing",
    data: { originalModel: "echo", routedModel: "echo-tokens-3", matchedRoute: "tools" },
  }]);
  expect(vmx.metrics).toMatchObject({ routingDurationMs: expect.any(Number) });
  expect(lastTrace()).toMatchObject({ evaluated: true, selected: { description: "tools" } });
});

test("a stream is routed like a plain answer", async () => {
  await setRules([{ expression: "request.stream", then: slot("big") }]);
  expect((await ask()).by).toBe("small");
  const stream = await client.chat.completions.create({
    model: "ruled",
    messages: [{ role: "user", content: "hi" }],
    stream: true,
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe("big: hi");
});

test("requests without matching rules tell that rules ran, and no event", async () => {
  await setRules([{ expression: "false", then: slot("big") }]);
  const { by, headers } = await ask();
  expect(by).toBe("small");
  expect(headers.get("x-vmx-routing-duration-ms")).not.toBeNull();
  expect(headers.get("x-vmx-event-count")).toBeNull();
});

test("metadata of body and headers steers", async () => {
  await setRules([
    { if: [{ field: "metadata.tier", operator: "equals", value: "gold" }], then: slot("big") },
  ]);
  expect((await ask({ vmx: { metadata: { tier: "gold" } } })).by).toBe("big");
  expect((await ask({}, { headers: { "x-vmx-metadata-tier": "gold" } })).by).toBe("big");
  expect((await ask({ vmx: { metadata: { tier: "iron" } } })).by).toBe("small");
});

test("rules see the body with default and provider arguments merged", async () => {
  await setRules([
    { expression: "request.temperature == 0.9", then: slot("big") },
    { expression: "request.user == 'p'", then: slot("spare") },
  ], { defaultArgs: { temperature: 0.9 } });
  expect((await ask()).by).toBe("big");
  expect((await ask({ temperature: 0 })).by).toBe("small");
  expect((await ask({ temperature: 0, vmx: { providerArgs: { user: "p" } } })).by).toBe("spare");
});

test("the first route that matches decides", async () => {
  await setRules([
    { expression: "false", then: slot("small") },
    { expression: "true", then: slot("big") },
    { expression: "true", then: slot("spare") },
  ]);
  expect((await ask()).by).toBe("big");
});

test("a blocked request answers 400 with the route's description and calls nobody", async () => {
  await setRules(
    [{ description: "no streams of thought", expression: "true", action: "BLOCK" }],
    { fallbackModels: [slot("spare")] },
  );
  const error = await ask().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(error).toMatchObject({ status: 400, code: "blocked_by_routing_condition" });
  expect((error as Error).message).toContain("no streams of thought");
  const outcome = gateway.outcomes.at(-1)!;
  expect(outcome.status).toBe("blocked");
  expect(outcome.exchange.legs).toEqual([]);
});

test("a routed model that fails falls back; rules do not run again", async () => {
  await setRules([{ expression: "true", then: slot("big", "echo-status-503") }], {
    fallbackModels: [slot("spare")],
  });
  const { by, headers } = await ask();
  expect(by).toBe("spare");
  expect(headers.get("x-vmx-event-count")).toBe("2");
  expect(headers.get("x-vmx-event-1-fallback-failure-reason")).toBe("Provider unavailable");
  expect(gateway.outcomes.at(-1)!.exchange.legs.map(({ kind }) => kind)).toEqual([
    "route",
    "fallback",
  ]);
});

test("a pinned secondary model skips the rules and keeps the fallbacks", async () => {
  await setRules([{ expression: "true", action: "BLOCK" }], {
    secondaryModels: [slot("big", "echo-status-500")],
    fallbackModels: [slot("spare")],
  });
  const { by, headers } = await ask({ vmx: { secondaryModelIndex: 0 } });
  expect(by).toBe("spare");
  expect(headers.get("x-vmx-routing-duration-ms")).toBeNull();
  expect(lastTrace()).toMatchObject({ evaluated: false, selected: null });
});

test("an error rate above the limit moves traffic away, and back when it is over", async () => {
  await setRules([
    {
      if: [{ field: "errorRate", operator: "greaterThan", value: 20, window: 5 }],
      then: slot("big"),
    },
  ]);
  const resource = () =>
    gateway.services.snapshot().environments.values().next().value!.resourcesByName.get("ruled")!;
  const note = (status: number) =>
    gateway.services.samples.note({
      environmentId: resource().environmentId,
      resourceId: resource().resourceId,
      connectionId: connections["small"]!,
      model: "echo",
    }, status);
  expect((await ask()).by).toBe("small");
  for (const status of [500, 429, 502]) note(status);
  expect((await ask()).by).toBe("big");
  for (let index = 0; index < 20; index++) note(200);
  expect((await ask()).by).toBe("small");
});

test("legs that called a provider are samples; those that never did are none", async () => {
  gateway.snapshot.setConnection("off", "echo", { enabled: false });
  const off = gateway.services.snapshot().environments.values().next().value!
    .connectionsByName.get("off")!.connectionId;
  const view = gateway.snapshot.setResource("sampled", slot("small", "echo-status-429"), {
    fallbackModels: [
      createSlot({ connectionId: off, provider: "echo", model: "echo" }),
      slot("spare"),
    ],
  });
  await ask({ model: "sampled" });
  const counts = (connectionId: string, model: string, status: number | "any" = "any") =>
    gateway.services.samples.counts(
      { environmentId: view.environmentId, resourceId: view.resourceId, connectionId, model },
      1,
      status,
    );
  expect(counts(connections["small"]!, "echo-status-429", 429)).toEqual({
    succeeded: 0,
    failed: 1,
  });
  expect(counts(off, "echo")).toEqual({ succeeded: 0, failed: 0 });
  expect(counts(connections["spare"]!, "echo")).toEqual({ succeeded: 1, failed: 0 });
});

test("splits cascade: half, then half of the rest, within 3 points over 10,000 draws", async () => {
  await setRules([
    { expression: "true", then: { ...slot("big"), traffic: 50 } },
    { expression: "true", then: { ...slot("spare"), traffic: 50 } },
  ]);
  gateway.services.setRandom(Math.random);
  const { services } = gateway;
  const environment = services.snapshot().environments.values().next().value!;
  const inbound = (await gateway.dialect("openai-chat")).inbound!;
  const body = { model: "ruled", messages: [{ role: "user", content: "hi" }] };
  const question = {
    caller: { kind: "user" as const, userId: "u", environment },
    target: { kind: "resource" as const, resource: environment.resourcesByName.get("ruled")! },
    envelope: { metadata: {} },
    body,
    merged: () => ({ body, facts: inbound.inspect(body, "chat") }),
    format: inbound.format,
    sourceIp: "127.0.0.1",
    now: Date.now(),
    revision: 1,
  };
  const taken: Record<string, number> = {};
  for (let draw = 0; draw < 10_000; draw++) {
    const { selected } = (await services.router.decide(question))!;
    const id = selected?.target?.connectionId ?? "primary";
    taken[id] = (taken[id] ?? 0) + 1;
  }
  expect(Math.abs(taken[connections["big"]!]! - 5_000)).toBeLessThan(300);
  expect(Math.abs(taken[connections["spare"]!]! - 2_500)).toBeLessThan(300);
  expect(Math.abs(taken["primary"]! - 2_500)).toBeLessThan(300);
});

test("the same user always lands on the same side of a sticky split", async () => {
  await setRules([{ expression: "hash(metadata.user, 100) < 50", then: slot("big") }]);
  const sides = new Set<string>();
  for (let user = 0; user < 12; user++) {
    const vmx = { metadata: { user: `user-${user}` } };
    const first = (await ask({ vmx })).by!;
    expect((await ask({ vmx })).by).toBe(first);
    sides.add(first);
  }
  expect([...sides].sort()).toEqual(["big", "small"]);
});

test("a rule whose evaluator fails leaves the request to the primary", async () => {
  await setRules([{
    expression: "matches(request.user, 'a') && request.missing.path > 1",
    then: slot("big"),
  }]);
  expect((await ask()).by).toBe("small");
  await setRules([{ expression: "errorRate(number(request.seed)) > 1", then: slot("big") }]);
  expect((await ask({ seed: 999 })).by).toBe("small");
  expect(lastTrace().routes[0]).toMatchObject({ result: "error" });
  expect(gateway.outcomes.at(-1)!.exchange.routingErrors).toBe(1);
});

test("text of messages stays out of traces where payloads are not kept", async () => {
  await setRules([
    {
      if: [{ field: "request.allMessagesContent", operator: "contains", value: "x" }],
      then: slot("big"),
    },
  ]);
  const environment = gateway.services.snapshot().environments.values().next().value!;
  const settings = environment.settings as unknown as {
    payloadCapture: string;
    routingTrace: string;
  };
  const before = { ...settings };
  try {
    settings.payloadCapture = "metadata";
    await ask({}, { content: "my secret plan" });
    expect(JSON.stringify(lastTrace())).not.toContain("secret plan");
    expect(lastTrace().routes[0]!.conditions![0]!.left).toEqual({ length: 14 });
    settings.routingTrace = "result";
    await ask({}, { content: "my secret plan" });
    expect(lastTrace().routes[0]!.conditions).toEqual([]);
  } finally {
    Object.assign(settings, before);
  }
});

test("legs run in the order routed or primary, then fallbacks, until one answers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      async (isRouted, works) => {
        gateway.services.closeCircuits();
        const models = works.map((isUp) => isUp ? "echo" : "echo-status-500");
        const [first, ...rest] = models;
        await setRules(
          [{ expression: String(isRouted), then: slot("big", first) }],
          {
            model: slot("small", first),
            fallbackModels: rest.map((model) => slot("spare", model)),
          },
        );
        await ask().catch(() => {});
        const { legs } = gateway.outcomes.at(-1)!.exchange;
        const answering = works.indexOf(true);
        expect(legs.map(({ model }) => model)).toEqual(
          answering < 0 ? models : models.slice(0, answering + 1),
        );
        expect(legs.map(({ kind }) => kind)).toEqual(
          legs.map((_, index) => index > 0 ? "fallback" : isRouted ? "route" : "primary"),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("all legs together stay within the request's deadline plus 50 ms", async () => {
  for (const slow of ["echo-slow-80ms-status-503", "echo-slow-200ms", "echo-hang"]) {
    await setRules([{ expression: "true", then: slot("big", slow) }], {
      fallbackModels: [slot("spare", slow), slot("small", slow), slot("spare", slow)],
    });
    // The best of three: a machine that stands still tells nothing of the gateway.
    let bestMs = Infinity;
    for (let attempt = 0; attempt < 3 && bestMs > 200; attempt++) {
      gateway.services.closeCircuits();
      const error = await ask({ vmx: { timeoutMs: 150 } }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ status: 504, code: "request_timeout" });
      bestMs = Math.min(bestMs, gateway.outcomes.at(-1)!.totalDurationMs);
    }
    expect(bestMs).toBeLessThan(200);
  }
});
