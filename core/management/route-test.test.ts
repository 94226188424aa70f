import { RouteTestResult } from "@vmx/schemas";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let base: string;
let path: string;
let ids: { readonly echo: string; readonly spare: string; readonly claude: string };
const draft = () => `${base}/ai-resources/draft`;

beforeAll(async () => {
  plane = await startTestManagement();
  base = plane.environmentPath;
  const { body } = await plane.call("GET", `${base}/ai-connections?name=echo`);
  ids = {
    echo: body.data[0].connectionId,
    spare: await createConnection("spare", { allowedModels: ["spare-*"] }),
    claude: await createConnection("claude", {
      provider: "anthropic",
      config: { apiKey: "sk-1234567" },
    }),
  };
  const resource = await plane.call("POST", `${base}/ai-resources`, {
    name: "support",
    model: { connectionName: "echo", model: "echo", maxRetries: 2, timeoutMs: 5000 },
    secondaryModels: [{ connectionName: "spare", model: "spare-1" }],
    fallbackModels: [{ connectionName: "spare", model: "other" }],
    defaultArgs: { temperature: 0.5 },
    routing: {
      enabled: true,
      conditions: [
        {
          id: "busy",
          expression: "errorRate() >= 25",
          then: target("echo", "busy"),
          description: "b",
        },
        {
          id: "gold",
          operator: "OR",
          if: [
            { field: "metadata.tier", operator: "equals", value: "gold" },
            { field: "requestTokens", operator: "greaterThan", value: 1000 },
          ],
          then: target("echo", "gold", { traffic: 30 }),
        },
        { id: "night", expression: "now.hour < 6", action: "BLOCK", description: "Closed" },
      ],
    },
  });
  expect(resource.status, resource.text).toBe(201);
  path = `${base}/ai-resources/${resource.body.resourceId}`;
});
afterAll(() => plane.stop());

const target = (connectionName: string, model: string, extra: object = {}) => ({
  connectionName,
  model,
  ...extra,
});

async function createConnection(name: string, extra: object = {}): Promise<string> {
  const body = { name, provider: "echo", config: {}, ...extra };
  const answer = await plane.call("POST", `${base}/ai-connections`, body);
  expect(answer.status, answer.text).toBe(201);
  return answer.body.connectionId;
}

const isPromised = new Ajv2020({ strict: false, validateFormats: false }).compile(RouteTestResult);
const noon = "2026-03-02T12:00:00Z";
const question = {
  dialect: "openai-chat",
  body: { messages: [{ role: "user", content: "hi" }] },
  assume: { now: noon },
};

async function ask(given: object = {}, at = path) {
  const answer = await plane.call("POST", `${at}/route-test`, { ...question, ...given });
  expect(answer.status, answer.text).toBe(200);
  expect(isPromised(answer.body), JSON.stringify(isPromised.errors)).toBe(true);
  return answer.body;
}

test("a dry run tells every leg with what stands in its way, and calls nobody", async () => {
  const before = await plane.call("GET", `${base}/activity`);
  const told = await ask();
  expect(told).toMatchObject({
    trace: {
      evaluated: true,
      selected: null,
      revision: plane.loader.current().revision,
      routes: [
        { routeId: "busy", result: "not_matched", conditions: [{ left: 0, right: 25 }] },
        { routeId: "gold", result: "not_matched", conditions: [{ result: false }, {}] },
        { routeId: "night", result: "not_matched" },
      ],
    },
    chain: [
      {
        position: 0,
        kind: "primary",
        connectionId: ids.echo,
        connectionName: "echo",
        provider: "echo",
        model: "echo",
        allowed: true,
        circuit: "closed",
        warnings: [],
        maxRetries: 2,
        timeoutMs: 5000,
        gates: [],
      },
      {
        position: 1,
        kind: "fallback",
        connectionName: "spare",
        model: "other",
        allowed: false,
        refusal: { reason: "Model not allowed", code: "model_not_allowed" },
      },
    ],
    mergedBody: { model: "support", temperature: 0.5, messages: question.body.messages },
    estimate: { inputTokens: expect.any(Number), expectedOutputTokens: 512 },
    errors: [],
  });
  expect(told.blocked).toBeUndefined();
  const after = await plane.call("GET", `${base}/activity`);
  expect(after.body.data).toEqual(before.body.data);
});

test("assumptions stand in for live values, time and chance", async () => {
  const busy = await ask({ assume: { now: noon, errorRate: 25 } });
  expect(busy.trace.selected).toMatchObject({ routeId: "busy", slot: { model: "busy" } });
  expect(busy.chain[0]).toMatchObject({ kind: "route", model: "busy" });

  const blocked = await ask({ assume: { now: "2026-03-02T05:59:59Z" } });
  expect(blocked.blocked).toEqual({
    routeId: "night",
    message: expect.stringContaining("Closed"),
  });
  expect([blocked.chain, blocked.trace.selected.action]).toEqual([[], "BLOCK"]);

  const headers = { "X-VMX-Metadata-Tier": "gold" };
  const won = await ask({ headers, assume: { now: noon, draws: { gold: 29.9 } } });
  expect(won.trace.routes[1]).toMatchObject({ result: "matched", traffic: 30, draw: 29.9 });
  const lost = await ask({ headers, assume: { now: noon, draws: { gold: 30 } } });
  expect(lost.trace.routes[1]).toMatchObject({ result: "traffic_miss" });
  expect(lost.chain[0].kind).toBe("primary");

  const resource = {
    routing: {
      conditions: [{
        expression: "capacityUsage('hour').tokensUsagePercent > 90 && latency(95) > 2000",
        then: target("echo", "m"),
      }],
    },
  };
  const live = { capacityUsage: { tokensUsagePercent: 95 }, latency: 2500 };
  expect((await ask({ resource, assume: live })).trace.routes[0].result).toBe("matched");
  expect((await ask({ resource })).trace.routes[0].result).toBe("not_matched");
});

test("with evaluateAll every condition has its values, and the decision stays", async () => {
  const given = {
    headers: { "x-vmx-metadata-tier": "gold" },
    assume: { now: noon, draws: { gold: 1 } },
  };
  const short = await ask(given);
  expect(short.trace.routes[1].conditions[1].result).toBe("not_evaluated");
  expect(short.trace.routes[2].result).toBe("skipped");
  const all = await ask({ ...given, evaluateAll: true });
  expect(all.trace.selected).toEqual(short.trace.selected);
  expect(all.trace.routes[1].conditions[1]).toMatchObject({
    left: expect.any(Number),
    comparator: "GREATER_THAN",
    right: 1000,
    result: false,
    durationUs: expect.any(Number),
  });
  expect(all.trace.routes[2].conditions[0]).toMatchObject({ left: 12, right: 6, result: false });
});

test("what environments leave out of stored traces is told all the same", async () => {
  await plane.call("PATCH", base, {
    settings: { routingTrace: "result", payloadCapture: "none" },
  });
  const told = await ask({
    resource: {
      routing: {
        conditions: [{ expression: "request.lastUserMessage.content == 'hi'", action: "BLOCK" }],
      },
    },
  });
  expect(told.trace.routes[0].conditions[0]).toMatchObject({ left: "hi", right: "hi" });
  await plane.call("PATCH", base, { settings: { routingTrace: null, payloadCapture: null } });
});

test("an edit is tried out with the rest as stored, and nothing of it is kept", async () => {
  const stored = (await plane.call("GET", path)).body;
  const edited = await ask({
    resource: {
      ...stored,
      name: "renamed",
      enabled: false,
      useFallback: false,
      defaultArgs: { user: "u" },
      routing: { enabled: false },
    },
  });
  expect(edited.trace).toMatchObject({ evaluated: false, skippedReason: "routing is disabled" });
  expect(edited.chain).toHaveLength(1);
  expect(edited.mergedBody).toMatchObject({ model: "renamed", user: "u" });
  expect((await plane.call("GET", path)).body).toEqual(stored);
});

test("a draft is tried out whole", async () => {
  const told = await ask({
    resource: {
      model: target("echo", "echo"),
      routing: {
        enabled: true,
        conditions: [{ expression: "true", then: target("spare", "spare-2") }],
      },
    },
  }, draft());
  expect(told.chain).toMatchObject([{ kind: "route", model: "spare-2", allowed: true }]);
  const none = await plane.call("POST", `${draft()}/route-test`, question);
  expect([none.status, none.body.code, none.body.errors[0].path])
    .toEqual([400, "VALIDATION_FAILED", "/resource/model"]);
  const taken = await plane.call("POST", `${draft()}/route-test`, {
    ...question,
    resource: { name: "Support", model: target("echo", "echo") },
  });
  expect([taken.status, taken.body.code]).toEqual([409, "AI_RESOURCE_ALREADY_EXISTS"]);
});

test("the envelope counts as it does live: pins, provider arguments, overrides", async () => {
  const withEnvelope = (vmx: object) => ask({ body: { ...question.body, vmx } });
  const pinned = await withEnvelope({ secondaryModelIndex: 0 });
  expect(pinned.trace.evaluated).toBe(false);
  expect(pinned.chain[0]).toMatchObject({ kind: "secondary", model: "spare-1", allowed: true });
  const outside = await withEnvelope({ secondaryModelIndex: 1 });
  expect(outside.errors).toMatchObject([{ code: "COMPLETION_SECONDARY_MODEL_NOT_FOUND" }]);
  const args = await withEnvelope({ providerArgs: { temperature: 2 } });
  expect(args.mergedBody).toMatchObject({ temperature: 2 });
  expect(args.mergedBody).not.toHaveProperty("vmx");
  const override = await withEnvelope({ resourceConfigOverrides: { model: { model: "other" } } });
  expect(override.chain[0].model).toBe("other");
});

test("a leg of another dialect tells what its translation would lose", async () => {
  const given = {
    body: { ...question.body, logit_bias: { "50256": -100 } },
    resource: { model: target("claude", "claude-sonnet-4-5") },
  };
  const warned = await ask(given);
  expect(warned.chain[0]).toMatchObject({ connectionName: "claude", allowed: true });
  expect(warned.chain[0].warnings).toContainEqual(
    expect.objectContaining({ path: "/logit_bias", action: "dropped" }),
  );
  const strict = await ask({ ...given, resource: { ...given.resource, onLoss: "reject" } });
  expect(strict.chain[0]).toMatchObject({
    allowed: false,
    refusal: { code: "translation_loss" },
    warnings: warned.chain[0].warnings,
  });
});

test("what a caller would be refused for is told, not answered as a failure", async () => {
  const bad = await ask({ body: { messages: "hi" } });
  expect(bad.errors).toMatchObject([{ code: "invalid_request", param: "messages" }]);
  expect([bad.chain, bad.trace.evaluated]).toEqual([[], false]);

  const key = await plane.call("POST", `${base}/api-keys`, { name: "other", labels: ["beta"] });
  const { apiKeyId } = key.body;
  const asked = await ask({
    apiKeyId,
    sourceIp: "192.0.2.7",
    resource: {
      routing: {
        conditions: [{
          expression:
            "apiKey.name == 'other' && 'beta' in apiKey.labels && sourceIp == '192.0.2.7'",
          then: target("echo", "key"),
        }],
      },
    },
  });
  expect(asked.trace.selected.slot.model).toBe("key");
  const assigned = await ask({ apiKeyId, resource: { assignApiKeys: [crypto.randomUUID()] } });
  expect(assigned.errors).toMatchObject([{ code: "API_KEY_RESOURCE_NOT_AUTHORIZED" }]);
  await plane.call("PATCH", `${base}/api-keys/${apiKeyId}`, { enabled: false });
  expect((await ask({ apiKeyId })).errors).toMatchObject([{ code: "api_key_disabled" }]);
});

test.each<[what: string, given: object, status: number, code: string, fault: string]>([
  ["an unknown dialect", { dialect: "latin" }, 400, "VALIDATION_FAILED", "/dialect"],
  [
    "an operation the dialect lacks",
    { dialect: "anthropic-messages", operation: "embeddings" },
    400,
    "VALIDATION_FAILED",
    "/operation",
  ],
  ["an unknown key", { apiKeyId: crypto.randomUUID() }, 404, "API_KEY_NOT_FOUND", "/apiKeyId"],
  [
    "a draw above 100",
    { assume: { draws: { a: 101 } } },
    400,
    "VALIDATION_FAILED",
    "/assume/draws/a",
  ],
  ["a stored request", { auditRequestId: "x" }, 400, "VALIDATION_FAILED", "/auditRequestId"],
  ["a body that is none", { body: [] }, 400, "VALIDATION_FAILED", "/body"],
])("%s is refused", async (_what, given, status, code, fault) => {
  const answer = await plane.call("POST", `${path}/route-test`, { ...question, ...given });
  expect([answer.status, answer.body.code], answer.text).toEqual([status, code]);
  expect(answer.body.errors[0].path).toBe(fault);
});

test("a resource that does not exist cannot be tried out", async () => {
  for (const id of [crypto.randomUUID(), "drafts"]) {
    const answer = await plane.call("POST", `${base}/ai-resources/${id}/route-test`, question);
    expect([answer.status, answer.body.code]).toEqual([404, "AI_RESOURCE_NOT_FOUND"]);
  }
});

test("slots of an edit need the right to read their connections", async () => {
  const policy = {
    statements: [
      { effect: "allow", actions: ["ai-resource:get"], resources: ["*"] },
      {
        effect: "allow",
        actions: ["ai-connection:get"],
        resources: ["workspace:default:environment:default:ai-connection:echo"],
      },
    ],
  };
  const token = await plane.call("POST", "/api/v1/me/tokens", { name: "tester", policy });
  expect(token.status, token.text).toBe(201);
  const asTester = (resource: object | undefined, at = path) =>
    plane.send("POST", `${at}/route-test`, { ...question, resource }, {
      authorization: `Bearer ${token.body.token ?? token.body.value}`,
    });
  expect((await asTester(undefined)).status).toBe(200);
  expect((await asTester({ model: target("echo", "x") })).status).toBe(200);
  const routing = { conditions: [{ expression: "true", then: target("spare", "spare-1") }] };
  for (
    const refused of [
      await asTester({ routing }),
      await asTester({ model: target("spare", "x") }, draft()),
    ]
  ) {
    expect([refused.status, refused.body.action]).toEqual([403, "ai-connection:get"]);
  }
});

test("failing models are seen on their connection, in the error rate and in the chain", async () => {
  const resourceId = path.split("/").at(-1)!;
  const subject = {
    environmentId: plane.firstRun.environmentId,
    resourceId,
    connectionId: ids.echo,
    model: "echo",
  };
  const { circuits, samples } = plane.gateway;
  for (let call = 0; call < 10; call++) {
    circuits.note(ids.echo, "echo", call > 1);
    samples.note(subject, call > 1 ? (call > 5 ? 429 : 503) : 200);
  }
  samples.note({ ...subject, model: "other" }, 200);
  const rate = (query = "") => plane.call("GET", `${path}/error-rate${query}`);
  expect((await rate()).body).toEqual({
    errorRate: 80,
    totalSuccess: 2,
    totalFailed: 8,
    totalRequests: 10,
  });
  expect((await rate("?statusCode=429&window=1")).body).toMatchObject({ errorRate: 40 });
  expect((await rate(`?connectionId=${ids.echo}&model=other`)).body.errorRate).toBe(0);
  expect((await rate(`?connectionId=${ids.spare}`)).body.totalRequests).toBe(0);
  for (const query of ["?window=0", "?window=181", "?statusCode=99", "?statusCode=all"]) {
    expect((await rate(query)).body.code, query).toBe("VALIDATION_FAILED");
  }

  const connection = await plane.call("GET", `${base}/ai-connections/${ids.echo}`);
  const { echo } = connection.body.circuits;
  expect(echo.state).toBe("open");
  expect(Date.parse(echo.until) - Date.parse(echo.since)).toBeGreaterThan(14_000);
  const told = await ask();
  expect(told.trace.selected.routeId).toBe("busy");
  const pinned = await ask({ resource: { routing: null } });
  expect(pinned.chain.map(({ circuit }: { circuit: string }) => circuit)).toEqual([
    "open",
    "closed",
  ]);
  plane.clock.offsetMs += 16_000;
  expect((await ask({ resource: { routing: null } })).chain[0].circuit).toBe("probing");
});
