import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createSlot, type ScriptedUpstream, startScriptedUpstream } from "../gateway/testing.ts";
import { startTestTelemetry, type TestTelemetry } from "./testing.ts";

let world: TestTelemetry;
let upstream: ScriptedUpstream;
const question = { messages: [{ role: "user", content: "a very private question" }] };

beforeAll(async () => {
  [world, upstream] = await Promise.all([startTestTelemetry(), startScriptedUpstream()]);
  addResources(world);
});
afterEach(() => void (world.spans.length = 0));
afterAll(async () => {
  await world.stop();
  await upstream.stop();
});

function addResources({ gateway: { snapshot } }: TestTelemetry): void {
  const up = snapshot.setConnection("up", "openai-compatible", { config: upstream.config });
  const echo = snapshot.setConnection("echo", "echo");
  const slot = { connectionId: up.connectionId, provider: "openai-compatible", model: "m-1" };
  const spare = createSlot({ connectionId: echo.connectionId, provider: "echo", model: "echo" });
  snapshot.setResource("safe", slot, { fallbackModels: [spare] });
  snapshot.setResource("limited", slot, {
    capacity: [{ period: "minute", requests: 0, tokens: null, enabled: true }] as never,
    enforceCapacity: true,
    fallbackModels: [spare],
  });
}

const fail = (status: number, message: string) => {
  upstream.answer = (_request, response) =>
    response.writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify({ error: { message } }));
};

test("a request that falls back is one server span and one client span per leg", async () => {
  fail(500, "an answer that repeats a very private question");
  const response = await world.post("/chat/completions", {
    model: "safe",
    temperature: 0.5,
    top_p: 0.9,
    max_tokens: 40,
    vmx: { metadata: { team: "blue" } },
    ...question,
  });
  expect(response.status).toBe(200);
  const [server, first, second, ...more] = world.spans;
  expect(more).toEqual([]);
  expect(server).toMatchObject({
    kind: "server",
    name: "POST /v1/chat/completions",
    failed: false,
  });
  expect(first).toMatchObject({
    kind: "client",
    name: "chat m-1",
    parentSpanId: server!.spanId,
    traceId: server!.traceId,
    failed: true,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai-compatible",
      "gen_ai.request.model": "m-1",
      "gen_ai.request.max_tokens": 40,
      "gen_ai.request.temperature": 0.5,
      "gen_ai.request.top_p": 0.9,
      "server.address": "127.0.0.1",
      "error.type": "Provider unavailable",
      "vmx.leg.index": 0,
      "vmx.leg.kind": "primary",
      "vmx.metadata.team": "blue",
      "vmx.resource.name": "safe",
    },
  });
  expect(second).toMatchObject({
    name: "chat echo",
    parentSpanId: server!.spanId,
    failed: false,
    attributes: {
      "gen_ai.provider.name": "echo",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": expect.any(Number),
      "gen_ai.usage.output_tokens": expect.any(Number),
      "vmx.leg.index": 1,
      "vmx.leg.kind": "fallback",
      "vmx.request.id": response.headers.get("x-vmx-request-id"),
    },
  });
  expect(first!.startAt).toBeGreaterThanOrEqual(server!.startAt);
  expect(second!.startAt).toBeGreaterThanOrEqual(first!.endAt - 1);
  expect(second!.endAt).toBeLessThanOrEqual(server!.endAt + 1);
});

test("spans hold neither messages nor credentials nor what a provider wrote of an error", async () => {
  fail(400, "your key sk-upstream-credential-1234567890 asked a very private question");
  await world.post("/chat/completions", { model: "safe", ...question });
  const text = JSON.stringify(world.spans);
  expect(world.spans.length).toBeGreaterThan(1);
  for (const secret of ["private", "sk-upstream", world.gateway.apiKey]) {
    expect(text).not.toContain(secret);
  }
});

test("a caller's trace is continued, and its decision not to keep one is obeyed", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const parent = "00f067aa0ba902b7";
  const ask = (traceparent: string) =>
    world.post("/chat/completions", { model: "demo", ...question }, {
      traceparent,
      tracestate: "vendor=1",
    });
  await ask(`00-${traceId}-${parent}-01`);
  expect(world.spans[0]).toMatchObject({
    traceId,
    parentSpanId: parent,
    isParentRemote: true,
    traceState: "vendor=1",
  });
  world.spans.length = 0;
  await ask(`00-${traceId}-${parent}-00`);
  expect(world.spans).toEqual([]);
});

test.each([
  "",
  "nonsense",
  "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
  "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
  "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
])("a malformed traceparent %j begins a trace of its own", async (traceparent) => {
  await world.post("/chat/completions", { model: "demo", ...question }, { traceparent });
  const [server] = world.spans;
  expect(server!.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(server!.traceId).not.toBe("4bf92f3577b34da6a3ce929d0e0e4736");
  expect(server).not.toHaveProperty("parentSpanId");
});

test("a leg turned away by a limit has a span without gen_ai attributes, and is counted as denied", async () => {
  await world.post("/chat/completions", { model: "limited", ...question });
  const denied = world.spans.find(({ attributes }) => attributes["vmx.leg.index"] === 0)!;
  expect(denied.failed).toBe(true);
  expect(Object.keys(denied.attributes).filter((name) => name.startsWith("gen_ai."))).toEqual([]);
  expect(Object.keys(world.values("vmx.gateway.capacity.denied")).join())
    .toContain("level=resource,period=minute,axis=requests");
});

test("legs, fallbacks, tokens and refused credentials are counted", async () => {
  fail(503, "away");
  const legs = () => world.values("vmx.gateway.legs");
  const target = "workspace=default,environment=default,resource=safe";
  const failed = `${target},connection=up,provider=openai-compatible,model=m-1,` +
    "kind=primary,outcome=failed,reason=Provider unavailable";
  const served = `${target},connection=echo,provider=echo,model=echo,kind=fallback,outcome=ok`;
  const before = legs();
  await (await world.post("/chat/completions", { model: "safe", stream: true, ...question }))
    .text();
  const after = legs();
  expect(after[failed]! - (before[failed] ?? 0)).toBe(1);
  expect(after[served]! - (before[served] ?? 0)).toBe(1);
  expect(Object.keys(world.values("vmx.gateway.fallbacks")).join()).toContain(
    "reason=Provider unavailable",
  );
  const tokens = Object.values(world.values("vmx.gateway.total.tokens"));
  expect(Math.max(...tokens)).toBeGreaterThan(0);
  expect(world.values("gen_ai.client.token.usage")).toHaveProperty([
    "gen_ai.operation.name=chat,gen_ai.provider.name=echo,gen_ai.request.model=echo,gen_ai.token.type=output",
  ]);

  await world.post("/chat/completions", question, { authorization: "Bearer nobody" });
  expect(Object.values(world.values("vmx.gateway.auth.failures"))).toEqual([1]);
});

test("the thousand-and-first combination of labels is counted under other", async () => {
  const metric = "vmx.gateway.requests";
  const { targets, instruments } = world.telemetry.metrics;
  for (let index = 0; index < 1_200; index++) {
    const target = targets.of("w", "e", "r", "c", "p", `model-${index}`);
    instruments.requests.note(target, 1, "chat", "chat-completions", "ok", "2xx");
  }
  const values = world.values(metric);
  expect(Object.keys(values).length).toBeLessThan(1_010);
  const other = Object.entries(values).find(([labels]) => labels.includes("model=other"))!;
  expect(other[0]).toContain("workspace=other");
  expect(other[1]).toBeGreaterThan(190);
});

test("providers see the trace only where it is to be sent on", async () => {
  upstream.requests.length = 0;
  fail(500, "away");
  await world.post("/chat/completions", { model: "safe", ...question });
  expect(upstream.requests.at(-1)!.headers).not.toHaveProperty("traceparent");

  const open = await startTestTelemetry({ propagate: true });
  addResources(open);
  try {
    await open.post("/chat/completions", { model: "safe", ...question }, {
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      tracestate: "vendor=1",
    });
    const [, leg] = open.spans;
    expect(upstream.requests.at(-1)!.headers).toMatchObject({
      traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-${leg!.spanId}-01`,
      tracestate: "vendor=1",
    });
  } finally {
    await open.stop();
  }
});

test("a tracer that throws fails no request", async () => {
  const open = await startTestTelemetry({ traced: false });
  const broken = () => {
    throw new Error("broken");
  };
  const leave = open.telemetry.forSink("broken").trace({ isSampled: () => true, take: broken });
  try {
    expect((await open.post("/chat/completions", { model: "demo", ...question })).status).toBe(200);
    leave();
    open.telemetry.forSink("broken").trace({ isSampled: broken, take: broken });
    expect((await open.post("/chat/completions", { model: "demo", ...question })).status).toBe(200);
  } finally {
    await open.stop();
  }
});
