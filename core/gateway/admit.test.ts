import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createApiKeyValue } from "../access/api-key-format.ts";
import type { MeterKey } from "../contract/index.ts";
import type { ConnectionView, ResourceView } from "../store/snapshot.ts";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

let gateway: TestGateway;
let upstream: ScriptedUpstream;
let main: ConnectionView;
let spare: ConnectionView;
let resource: ResourceView;
let count = 0;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([
    startTestGateway({ firstContentHoldMs: 400 }, { connectTimeoutMs: 500, idleTimeoutMs: 2_000 }),
    startScriptedUpstream(),
  ]);
});

afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

beforeEach(() => {
  gateway.services.closeCircuits();
  gateway.snapshot.setSettings({ reservation: "learned", outputTokensBeforeLearning: 512 });
  gateway.snapshot.setApiKey(gateway.apiKey);
  upstream.answer = (_request, response) => json(response, 200, completion(5, 3));
  upstream.requests.length = 0;
  limit([]);
});

/** Gives connection and resource new ids, so that every test begins with empty counters. */
function limit(capacity: readonly object[], ofResource: Partial<ResourceView> = {}) {
  count++;
  const connect = (name: string, entries: readonly object[]) =>
    gateway.snapshot.setConnection(name, "openai-compatible", {
      config: upstream.config,
      connectionId: crypto.randomUUID(),
      capacity: entries,
    });
  main = connect("main", capacity);
  spare = connect("spare", []);
  resource = gateway.snapshot.setResource("chat", slot(), ofResource);
}

const slot = (tuning: object = {}) =>
  createSlot({
    connectionId: main.connectionId,
    provider: main.provider,
    model: `m-${count}`,
    ...tuning,
  });
const spareSlot = () => createSlot({ connectionId: spare.connectionId, provider: spare.provider });

const messages = [{ role: "user", content: "hi" }];
/** 3 per request, 4 per message, 1 for the text. */
const inputTokens = 8;

function call(body: object = {}, signal?: AbortSignal, apiKey = gateway.apiKey) {
  return fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "chat", messages, ...body }),
    ...(signal ? { signal } : {}),
  });
}

// deno-lint-ignore no-explicit-any -- answers are looked into freely
const refused = async (response: Response): Promise<any> => (await response.json()).error;

function json(response: ServerResponse, status: number, body: unknown, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

function completion(prompt: number, output: number) {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
    usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
  };
}

const chunk = (delta: unknown, finish: string | null = null) =>
  `data: ${
    JSON.stringify({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta, finish_reason: finish }],
    })
  }\n\n`;
const usage = (prompt: number, output: number) =>
  `data: ${
    JSON.stringify({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [],
      usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
    })
  }\n\n`;
const done = "data: [DONE]\n\n";

async function used(meter: Partial<MeterKey> = {}) {
  await gateway.services.capacity.admission.store.idle();
  const [state] =
    (await gateway.services.capacity.admission.store.ask((store) =>
      store.read(main.environmentId, [{
        level: "connection",
        subjectId: main.connectionId,
        period: "day",
        ...meter,
      }])
    ))!;
  return state!;
}

const lastLegs = () => gateway.outcomes.at(-1)!.exchange.legs;
const settledOutcome = async (before: number) => {
  await expect.poll(() => gateway.outcomes.length).toBeGreaterThan(before);
};

test("of 64 callers at once exactly as many are admitted as the limit says", async () => {
  limit([{ period: "day", requests: 10 }]);
  const statuses = (await Promise.all(Array.from({ length: 64 }, () => call())))
    .map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(54);
  expect(upstream.requests).toHaveLength(10);
  expect(await used()).toMatchObject({
    used: { requests: 10, tokens: 80 },
    reserved: { requests: 0, tokens: 0 },
    denied: 54,
  });
});

test("of 64 callers at once no more are in flight than their reserved tokens allow", async () => {
  limit([{ period: "day", tokens: 5 * (inputTokens + 512) + 511 }]);
  const answers: (() => void)[] = [];
  upstream.answer = (_request, response) =>
    void answers.push(() => json(response, 200, completion(inputTokens, 12)));
  const calls = Array.from({ length: 64 }, () => call().then(({ status }) => status));
  await expect.poll(async () => (await used()).denied).toBe(59);
  expect(answers).toHaveLength(5);
  for (const answer of answers) answer();
  const statuses = await Promise.all(calls);
  expect(statuses.filter((status) => status === 200)).toHaveLength(5);
  expect((await used()).used).toEqual({ requests: 5, tokens: 5 * (inputTokens + 12) });
}, 10_000);

test("several limits admit all or none: a refused attempt leaves every counter as it was", async () => {
  limit([{ period: "day", requests: 100 }], {
    enforceCapacity: true,
    capacity: [{ period: "hour", requests: 2 }],
  });
  for (const expected of [200, 200, 429]) expect((await call()).status).toBe(expected);
  expect((await used()).used.requests).toBe(2);
  const hour = { level: "resource", subjectId: resource.resourceId, period: "hour" } as const;
  expect((await used(hour)).used.requests).toBe(2);
});

test("the worked numbers of the specification come out to the figure", async () => {
  limit([{ period: "day", tokens: 100_000 }]);
  const text = "x".repeat((1200 - 7) * 4);
  const ask = { messages: [{ role: "user", content: text }], max_tokens: 4000 };
  gateway.snapshot.setSettings({ outputTokensBeforeLearning: 350 });

  let release = () => {};
  upstream.answer = (_request, response) => {
    release = () => json(response, 200, completion(1180, 610));
  };
  const answered = call(ask);
  await expect.poll(() => upstream.requests.length).toBe(1);
  expect((await used()).used).toEqual({ requests: 1, tokens: 1550 });
  release();
  expect((await answered).status).toBe(200);
  expect((await used()).used).toEqual({ requests: 1, tokens: 1790 });
  expect(lastLegs()[0]!.gate).toMatchObject({
    result: "admitted",
    reserved: { requests: 1, tokens: 1550 },
    settled: { requests: 1, tokens: 1790 },
    meters: [{
      level: "connection",
      subjectId: main.connectionId,
      period: "day",
      limit: { requests: null, tokens: 100_000 },
      used: { requests: 1, tokens: 1550 },
      requested: { requests: 1, tokens: 1550 },
    }],
  });

  upstream.answer = (_request, response) => json(response, 500, { error: { message: "boom" } });
  expect((await call(ask)).status).toBe(500);
  expect((await used()).used).toEqual({ requests: 1, tokens: 1790 });

  limit([{ period: "day", tokens: 100_000 }]);
  await gateway.services.capacity.admission.store.ask((store) =>
    store.reserve({
      environmentId: main.environmentId,
      reservationId: "other",
      processId: "other",
      ttlMs: 60_000,
      amount: { requests: 1, tokens: 99_000 },
      meters: [{
        level: "connection",
        subjectId: main.connectionId,
        period: "day",
        limit: { requests: null, tokens: 100_000 },
      }],
    })
  );
  const { details } = await refused(await call(ask));
  expect(details).toMatchObject({ used: 99_000, requested: 1550, limit: 100_000, axis: "tokens" });
  expect((await used()).used).toEqual({ requests: 1, tokens: 99_000 });
});

test("a refusal names the limit, the use and the way out, but no connection to an API key", async () => {
  limit([{ period: "hour", requests: 1 }, { period: "day", requests: 1 }]);
  await call();
  const response = await call();
  expect(response.status).toBe(429);
  const error = await refused(response);
  expect(error).toMatchObject({ type: "rate_limit_error", code: "resource_exhausted" });
  expect(error.message).toMatch(
    /^Capacity reached: connection 1 of 1 requests today, resets in \d+ s$/,
  );
  expect(error.details).toMatchObject({
    gate: "capacity",
    level: "connection",
    subjectId: main.connectionId,
    period: "day",
    axis: "requests",
    limit: 1,
    used: 1,
    requested: 1,
  });
  expect(error.details).not.toHaveProperty("subjectName");
  const waitSeconds = (Date.parse(error.details.resetAt) - Date.now()) / 1000;
  const retryAfter = Number(response.headers.get("retry-after"));
  expect(Math.abs(retryAfter - waitSeconds)).toBeLessThan(2);
  expect(response.headers.get("x-should-retry")).toBe(String(retryAfter <= 60));
  expect(lastLegs()[0]).toMatchObject({
    outcome: "denied",
    failureReason: "Denied by capacity",
    gate: {
      result: "denied",
      failing: [{ period: "hour", axis: "requests" }, { period: "day", axis: "requests" }],
    },
  });
  expect(upstream.requests).toHaveLength(1);
});

test("a used-up lifetime has no end to wait for", async () => {
  limit([{ period: "lifetime", requests: 1 }]);
  await call();
  const response = await call();
  expect(response.headers.get("retry-after")).toBeNull();
  expect(response.headers.get("x-should-retry")).toBe("false");
  expect((await refused(response)).details.resetAt).toBeNull();
});

test("a request larger than a limit is told that waiting is useless", async () => {
  limit([{ period: "minute", tokens: 100 }]);
  const response = await call({ max_tokens: 200 });
  expect(response.status).toBe(429);
  expect(response.headers.get("x-should-retry")).toBe("false");
  expect((await refused(response)).details).toMatchObject({ impossible: true, limit: 100 });
});

test("the time at the limits is told in a header, where there are limits", async () => {
  expect((await call()).headers.has("x-vmx-gate-duration-ms")).toBe(false);
  limit([{ period: "day", requests: 1 }]);
  for (const status of [200, 429]) {
    const response = await call();
    expect(response.status).toBe(status);
    expect(response.headers.get("x-vmx-gate-duration-ms")).toMatch(/^\d+(\.\d{1,2})?$/);
  }
});

test("a refused primary goes to the fallbacks like any failure", async () => {
  limit([{ period: "day", requests: 1 }]);
  gateway.snapshot.setResource("chat", slot(), { fallbackModels: [spareSlot()] });
  await call();
  const response = await call();
  expect(response.status).toBe(200);
  expect(response.headers.get("x-vmx-connection-id")).toBe(spare.connectionId);
  expect(response.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe("Denied by capacity");
  expect(lastLegs().map(({ outcome }) => outcome)).toEqual(["denied", "ok"]);
});

test("a resource's limits reach across its connections and count only when enforced", async () => {
  limit([]);
  const setUp = (enforceCapacity: boolean) => {
    gateway.snapshot.setResource("chat", slot(), {
      fallbackModels: [spareSlot()],
      enforceCapacity,
      capacity: [{ period: "day", requests: 1 }],
    });
  };
  setUp(false);
  expect([(await call()).status, (await call()).status]).toEqual([200, 200]);
  setUp(true);
  expect([(await call()).status, (await call()).status]).toEqual([200, 429]);
  const error = await refused(await call());
  expect(error.details).toMatchObject({ level: "resource", subjectName: "chat" });
});

test("an API key's limits count only when enforced, whatever it calls", async () => {
  limit([]);
  const value = createApiKeyValue();
  const capacity = [{ period: "day", requests: 1 }];
  gateway.snapshot.setApiKey(value, { name: "reports", capacity });
  expect((await call({}, undefined, value)).status).toBe(200);
  expect((await call({}, undefined, value)).status).toBe(200);
  gateway.snapshot.setApiKey(value, { name: "reports", capacity, enforceCapacity: true });
  const statuses = [];
  for (const model of ["chat", "main/any"]) {
    statuses.push((await call({ model }, undefined, value)).status);
  }
  expect(statuses).toEqual([200, 429]);
  expect((await refused(await call({}, undefined, value))).details).toMatchObject({
    level: "api-key",
    subjectName: "reports",
  });
});

test("ad-hoc calls have no resource limits and count on their connection", async () => {
  limit([{ period: "day", requests: 5 }], {
    enforceCapacity: true,
    capacity: [{ period: "day", requests: 1 }],
  });
  expect((await call({ model: "main/any" })).status).toBe(200);
  expect((await call({ model: "main/any" })).status).toBe(200);
  expect((await used()).used.requests).toBe(2);
});

test("a dimension counts each value for itself, absent ones as unknown", async () => {
  limit([{ period: "day", requests: 1, dimension: "metadata", dimensionField: "tenant" }]);
  const of = (tenant?: string) => call(tenant ? { vmx: { metadata: { tenant } } } : {});
  expect([(await of("a")).status, (await of("b")).status, (await of("a")).status]).toEqual([
    200,
    200,
    429,
  ]);
  expect((await of()).status).toBe(200);
  expect((await refused(await of())).details).toMatchObject({
    dimension: "metadata.tenant",
    dimensionValue: "unknown",
  });
  limit([{ period: "day", requests: 1, dimension: "source-ip" }]);
  await call();
  expect((await refused(await call())).details).toMatchObject({
    dimension: "source-ip",
    dimensionValue: expect.stringMatching(/127\.0\.0\.1/),
  });
});

test("overrides may tighten a stored limit and never loosen it", async () => {
  limit([], { enforceCapacity: true, capacity: [{ period: "day", requests: 3 }] });
  const tighten = { resourceConfigOverrides: { capacity: [{ period: "day", requests: 1 }] } };
  const loosen = { resourceConfigOverrides: { capacity: [{ period: "day", requests: 99 }] } };
  expect((await call({ vmx: tighten })).status).toBe(200);
  expect((await call({ vmx: tighten })).status).toBe(429);
  expect((await call({ vmx: loosen })).status).toBe(200);
  expect((await call({ vmx: loosen })).status).toBe(200);
  expect((await call({ vmx: loosen })).status).toBe(429);
});

test("retries share the reservation of their leg", async () => {
  limit([{ period: "day", requests: 10 }]);
  gateway.snapshot.setResource("chat", slot({ maxRetries: 2 }));
  let calls = 0;
  upstream.answer = (_request, response) =>
    ++calls < 3
      ? json(response, 503, { error: { message: "busy" } }, { "retry-after-ms": "1" })
      : json(response, 200, completion(5, 3));
  expect((await call()).status).toBe(200);
  expect(calls).toBe(3);
  expect((await used()).used).toEqual({ requests: 1, tokens: 8 });
});

const exits: {
  title: string;
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  body?: object;
  abortAfterMs?: number;
  tuning?: object;
  used: { requests: number; tokens: number };
}[] = [
  {
    title: "success",
    answer: (_r, response) => json(response, 200, completion(50, 70)),
    used: { requests: 1, tokens: 120 },
  },
  {
    title: "success without usage: the estimates",
    answer: (_r, response) => json(response, 200, { ...completion(0, 0), usage: undefined }),
    used: { requests: 1, tokens: inputTokens + 1 },
  },
  {
    title: "upstream error",
    answer: (_r, response) => json(response, 500, { error: { message: "boom" } }),
    used: { requests: 0, tokens: 0 },
  },
  {
    title: "an answer nobody can read",
    answer: (_r, response) => json(response, 200, { ok: true }),
    used: { requests: 0, tokens: 0 },
  },
  {
    title: "reset",
    answer: (_r, response) => response.socket!.resetAndDestroy(),
    used: { requests: 0, tokens: 0 },
  },
  {
    title: "leg timeout",
    answer: () => {},
    tuning: { timeoutMs: 120 },
    used: { requests: 0, tokens: 0 },
  },
  {
    title: "request timeout",
    answer: () => {},
    body: { vmx: { timeoutMs: 120 } },
    used: { requests: 0, tokens: 0 },
  },
  {
    title: "a client that leaves before the answer: the input",
    answer: () => {},
    abortAfterMs: 120,
    used: { requests: 1, tokens: inputTokens },
  },
  {
    title: "stream",
    body: { stream: true },
    answer: (_r, response) =>
      sse(response).end(chunk({ content: "a" }) + chunk({}, "stop") + usage(9, 4) + done),
    used: { requests: 1, tokens: 13 },
  },
  {
    title: "a client that leaves a stream: the input and what was delivered",
    body: { stream: true },
    answer: (_r, response) => void sse(response).write(chunk({ content: "12345678" })),
    abortAfterMs: 200,
    used: { requests: 1, tokens: inputTokens + 2 },
  },
  {
    title: "a stream that breaks off: the input and what was delivered",
    body: { stream: true },
    answer: (_r, response) => void sse(response).end(chunk({ content: "12345678" })),
    used: { requests: 1, tokens: inputTokens + 2 },
  },
  {
    title: "a stream that fails before its content",
    body: { stream: true },
    answer: (_r, response) =>
      void sse(response).end(`data: ${JSON.stringify({ error: { message: "no" } })}\n\n`),
    used: { requests: 0, tokens: 0 },
  },
];

function sse(response: ServerResponse) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  return response;
}

test.each(exits)("after $title use is what was settled", async (exit) => {
  limit([{ period: "day", requests: 10 }]);
  gateway.snapshot.setResource("chat", slot(exit.tuning));
  upstream.answer = exit.answer;
  const before = gateway.outcomes.length;
  const signal = exit.abortAfterMs ? AbortSignal.timeout(exit.abortAfterMs) : undefined;
  await call(exit.body, signal).then((response) => response.text()).catch(() => {});
  await settledOutcome(before);
  const state = await used();
  expect(state.used).toEqual(exit.used);
  expect(state.reserved).toEqual({ requests: 0, tokens: 0 });
  expect(lastLegs()[0]!.gate!.settled).toEqual(exit.used);
});

test("what a dead process has reserved is given back", async () => {
  limit([{ period: "day", requests: 10 }]);
  await gateway.services.capacity.admission.store.ask((store) =>
    store.reserve({
      environmentId: main.environmentId,
      reservationId: crypto.randomUUID(),
      processId: "dead",
      ttlMs: 600_000,
      amount: { requests: 1, tokens: 500 },
      meters: [{
        level: "connection",
        subjectId: main.connectionId,
        period: "day",
        limit: { requests: 10, tokens: null },
      }],
    })
  );
  expect((await used()).used).toEqual({ requests: 1, tokens: 500 });
  await gateway.services.capacity.admission.store.ask((store) =>
    store.expire(main.environmentId, ["dead"])
  );
  expect((await used()).used).toEqual({ requests: 0, tokens: 0 });
});

test("reserving the most a request allows leaves no room to overshoot", async () => {
  gateway.snapshot.setSettings({ reservation: "max" });
  limit([{ period: "day", tokens: 5_000 }]);
  expect((await call({ max_tokens: 300 })).status).toBe(200);
  expect(lastLegs()[0]!.gate!.reserved!.tokens).toBe(inputTokens + 300);
  expect((await call({ max_tokens: 300, n: 2 })).status).toBe(200);
  expect(lastLegs()[0]!.gate!.reserved!.tokens).toBe(inputTokens + 600);
  expect((await call()).status).toBe(200);
  expect(lastLegs()[0]!.gate!.reserved!.tokens).toBe(inputTokens + 4096);
});

test("absurd figures of a request or a provider do not spoil a counter", async () => {
  gateway.snapshot.setSettings({ reservation: "max" });
  limit([{ period: "day", requests: 10 }]);
  upstream.answer = (_request, response) => json(response, 200, completion(1e300, -5));
  expect((await call({ max_tokens: 1e15 })).status).toBe(200);
  const { tokens } = (await used()).used;
  expect(tokens).toBe(1e9 + 1);
});

test("limits the provider tells of are kept and refuse nothing", async () => {
  limit([]);
  upstream.answer = (_request, response) =>
    json(response, 200, completion(5, 3), {
      "x-ratelimit-limit-requests": "100",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "30s",
    });
  expect((await call()).status).toBe(200);
  expect((await call()).status).toBe(200);
  const { capacity } = gateway.services;
  expect(capacity.discovered.find(main.connectionId, `m-${count}`)!.limits).toEqual([
    expect.objectContaining({ axis: "requests", period: "minute", limit: 100, used: 100 }),
  ]);
});

test("pools share a connection's minute: whoever passes its maximum is told so", async () => {
  limit([{ period: "minute", tokens: 100_000 }]);
  const pool = { rank: 0, minReservation: 0, maxReservation: 10 };
  gateway.snapshot.setPools([{ ...pool, name: "docs", resources: [resource.resourceId] }]);
  try {
    expect((await call({ max_tokens: 400 })).status).toBe(200);
    gateway.snapshot.setSettings({ reservation: "max" });
    const response = await call({ max_tokens: 50_000 });
    expect(response.status).toBe(429);
    const error = await refused(response);
    expect(error.code).toBe("prioritization_gate_denied");
    expect(error.details).toMatchObject({
      gate: "prioritization",
      pool: "docs",
      max: 10,
      requested: 50_008,
      rule: "maximum",
      impossible: true,
    });
    expect(error.details).not.toHaveProperty("otherPools");
    expect(lastLegs()[0]).toMatchObject({
      failureReason: "Denied by prioritization",
      gate: { result: "denied", failing: [{ level: "pool", pool: "docs" }] },
    });
    expect((await used({ period: "minute" })).used.tokens).toBeLessThanOrEqual(8);
  } finally {
    gateway.snapshot.setPools([]);
  }
});

test("legs nothing limits ask no store", async () => {
  limit([{ period: "day", requests: 0, enabled: false }]);
  expect((await call()).status).toBe(200);
  expect(lastLegs()[0]!.gate).toMatchObject({ result: "skipped", meters: [] });
});
