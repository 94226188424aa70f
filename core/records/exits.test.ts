import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSlot, type ScriptedUpstream, startScriptedUpstream } from "../gateway/testing.ts";
import { startTestRecords, type TestRecords } from "./testing.ts";

let world: TestRecords;
let upstream: ScriptedUpstream;

beforeAll(async () => {
  [world, upstream] = await Promise.all([startTestRecords(), startScriptedUpstream()]);
  const { snapshot } = world.gateway;
  const { connectionId } = snapshot.setConnection("up", "openai-compatible", {
    config: upstream.config,
  });
  snapshot.setResource("scripted", {
    connectionId,
    provider: "openai-compatible",
    model: "m",
  });
  snapshot.setResource("impatient", {
    connectionId,
    provider: "openai-compatible",
    model: "m",
    timeoutMs: 150,
  });
  const echo = snapshot.setConnection("echo", "echo");
  snapshot.setResource("safe", { connectionId, provider: "openai-compatible", model: "m" }, {
    fallbackModels: [
      createSlot({ connectionId: echo.connectionId, provider: "echo", model: "echo" }),
    ],
  });
});

afterAll(async () => {
  await world.stop();
  await upstream.stop();
});

const ask = (model: string, more: object = {}) => ({
  model,
  messages: [{ role: "user", content: "hello there" }],
  ...more,
});
const idOf = (response: Response) => response.headers.get("x-vmx-request-id")!;
const chunk = (delta: object, more: object = {}) =>
  `data: ${
    JSON.stringify({
      id: "c1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m-2026",
      choices: [{ index: 0, delta, finish_reason: null }],
      ...more,
    })
  }\n\n`;

const dialects = [
  ["/chat/completions", { messages: [{ role: "user", content: "hello" }] }, "CHAT_COMPLETIONS"],
  ["/responses", { input: "hello" }, "RESPONSES"],
  [
    "/messages",
    { max_tokens: 50, messages: [{ role: "user", content: "hello" }] },
    "ANTHROPIC_MESSAGES",
  ],
] as const;

for (const [path, body, endpoint] of dialects) {
  for (const stream of [false, true]) {
    test(`${path} ${stream ? "streamed" : "plain"} leaves one row with its tokens and answer`, async () => {
      const response = await world.post(path, { model: "demo", stream, ...body });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      const row = await world.row(idOf(response));
      expect(row).toMatchObject({
        status: "ok",
        status_code: 200,
        endpoint,
        stream,
        type: "COMPLETION",
        resource_name: "demo",
        provider: "echo",
        usage_source: "provider",
        payload_capture: "full",
      });
      const tokens = row!["tokens"] as Record<string, number>;
      expect(tokens["totalTokens"]).toBe(tokens["promptTokens"]! + tokens["completionTokens"]!);
      expect(tokens["completionTokens"]).toBeGreaterThan(0);
      expect(row!["legs"]).toMatchObject([{ index: 0, kind: "primary", outcome: "ok", tokens }]);
      const payload = await world.payload(idOf(response));
      expect(payload!.state["responseBody"]).toBe("stored");
      expect(payload!.members["requestBody"]).toEqual({ model: "demo", stream, ...body });
      expect(JSON.stringify(payload!.members["responseBody"])).toContain("hello");
      if (stream) expect(payload!.members["responseFrames"]).toBeGreaterThan(2);
    });
  }
}

test("a client who leaves in mid-stream leaves a row with what was delivered", async () => {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: "one two three four " }));
  };
  const leaving = new AbortController();
  const response = await world.post("/chat/completions", ask("scripted", { stream: true }), {
    signal: leaving.signal,
  });
  await response.body!.getReader().read();
  leaving.abort();
  await until(() => world.gateway.outcomes.at(-1)?.exchange.requestId === idOf(response));
  const row = await world.row(idOf(response));
  expect(row).toMatchObject({ status: "aborted", usage_source: "estimated" });
  expect((row!["tokens"] as Record<string, number>)["output"]).toBeGreaterThan(2);
  const payload = await world.payload(idOf(response));
  expect(JSON.stringify(payload!.members["responseBody"])).toContain("one two three four");
});

test("a stream that breaks off leaves a partial row that names the cause", async () => {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: "half an answer" }));
    setTimeout(() => response.destroy(), 50);
  };
  const response = await world.post("/chat/completions", ask("scripted", { stream: true }));
  await response.text();
  expect(await world.row(idOf(response))).toMatchObject({
    status: "partial",
    status_code: 200,
    usage_source: "estimated",
    provider_model: "m-2026",
  });
  const row = await world.row(idOf(response));
  expect(row!["error_code"]).toBeTruthy();
  expect(row!["legs"]).toMatchObject([{ outcome: "partial" }]);
});

test("a leg that takes too long, and a provider that refuses, leave rows with their reasons", async () => {
  upstream.answer = () => {};
  const slow = await world.post("/chat/completions", ask("impatient"));
  expect(slow.status).toBe(504);
  expect(await world.row(idOf(slow))).toMatchObject({
    status: "error",
    status_code: 504,
    error_code: "leg_timeout",
    failure_reason: "Timed out",
    tokens: null,
  });
  upstream.answer = (_request, response) => {
    response.writeHead(400, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: "no, sk-upstream-credential-1234567890" } }));
  };
  const refused = await world.post("/chat/completions", ask("scripted"));
  await refused.text();
  const row = await world.row(idOf(refused));
  expect(row).toMatchObject({ status: "error", status_code: refused.status });
  expect(JSON.stringify(row)).not.toContain("sk-upstream-credential");
  world.gateway.services.closeCircuits();
});

test("a fallback leaves one row with both legs", async () => {
  upstream.answer = (_request, response) => response.writeHead(503).end("{}");
  const response = await world.post("/chat/completions", ask("safe"));
  expect(response.status).toBe(200);
  const row = await world.row(idOf(response));
  expect(row).toMatchObject({ status: "ok", provider: "echo" });
  expect(row!["legs"]).toMatchObject([
    { kind: "primary", outcome: "failed", statusCode: 503 },
    { kind: "fallback", outcome: "ok" },
  ]);
  expect(row!["events"]).toMatchObject([{ type: "fallback" }]);
  world.gateway.services.closeCircuits();
});

test("requests that end without a leg have rows, refused credentials have none", async () => {
  const unknown = await world.post("/chat/completions", ask("nothing-like-it"));
  expect(unknown.status).toBe(404);
  expect(await world.row(idOf(unknown))).toMatchObject({
    status: "error",
    status_code: 404,
    error_code: "AI_RESOURCE_NOT_FOUND",
    resource_name: "nothing-like-it",
    legs: [],
  });
  const invalid = await world.post("/chat/completions", "{not json");
  expect(await world.row(idOf(invalid))).toMatchObject({
    status: "error",
    status_code: 400,
    error_code: "invalid_request",
    resource_id: null,
  });
  const stranger = await world.post("/chat/completions", ask("demo"), {
    headers: { authorization: "Bearer wrong" },
  });
  expect(stranger.status).toBe(401);
  expect(await world.row(idOf(stranger))).toBeUndefined();
});

test("texts the database has no place for are stored with what it has", async () => {
  const response = await world.post("/chat/completions", ask("de\u0000mo\ud800"));
  expect(response.status).toBe(404);
  expect((await world.row(idOf(response)))!["resource_name"]).toBe("de\ufffdmo\ufffd");
});

test("the policy decides what of a request reaches the disk and the database", async () => {
  const settings = world.gateway.services.snapshot().environments.values().next().value!
    .settings as { payloadCapture: string };
  const secret = "a-text-nobody-else-knows";
  const body = {
    ...ask("demo"),
    messages: [{ role: "user", content: secret }],
    tools: [{ type: "function", function: { name: "find", parameters: { type: "object" } } }],
  };
  try {
    settings.payloadCapture = "metadata";
    const metadata = await world.post("/chat/completions", body);
    await metadata.text();
    const payload = await world.payload(idOf(metadata));
    expect(JSON.stringify(payload)).not.toContain(secret);
    expect(payload!.members["requestBody"]).toMatchObject({
      messages: [{ role: "user", content: { length: secret.length } }],
      tools: [{ function: { name: "find" } }],
    });
    settings.payloadCapture = "none";
    const none = await world.post("/chat/completions", body);
    await none.text();
    expect((await world.row(idOf(none)))!["payload_capture"]).toBe("none");
    expect(await world.payload(idOf(none))).toBeUndefined();
  } finally {
    settings.payloadCapture = "full";
  }
});

test("media give way to their hash, credentials to a mark, and long members keep their first part", async () => {
  const image = Buffer.alloc(3000, 7).toString("base64");
  const response = await world.post("/chat/completions", {
    model: "demo",
    messages: [{
      role: "user",
      content: [
        { type: "text", text: "my key is sk-abcdefghijklmnop123456" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${image}` } },
        { type: "text", text: "x".repeat(600_000) },
      ],
    }],
  });
  await response.text();
  const { members, state } = (await world.payload(idOf(response)))!;
  expect(state["requestBody"]).toMatch(/^truncated \(262144\/\d+ bytes\)$/);
  const stored = members["requestBody"] as string;
  expect(stored).toContain('"mediaType":"image/png","bytes":3000,"sha256":');
  expect(stored).toContain("my key is [redacted]");
  expect(stored).not.toContain(image.slice(0, 300));
});

test("streams beyond the memory that is kept for them are counted, and say so", async () => {
  const small = await startTestRecords({ maxHeldStreamBytes: 1_000 });
  try {
    for (let round = 0; round < 3; round++) {
      const response = await small.post(
        "/chat/completions",
        ask("demo", { stream: true, messages: [{ role: "user", content: "word ".repeat(100) }] }),
      );
      const bytes = (await response.text()).length;
      const { state, members } = (await small.payload(idOf(response)))!;
      const cut = /^truncated \((\d+)\/(\d+) bytes\)$/.exec(state["responseBody"]!)!;
      // The budget is free again for each of them.
      expect(Number(cut[1])).toBeGreaterThan(500);
      expect(Number(cut[1])).toBeLessThanOrEqual(1_000);
      // All but the frame that ends every stream.
      expect(Number(cut[2])).toBe(bytes - "data: [DONE]\n\n".length);
      expect(JSON.stringify(members["responseBody"])).toContain("word");
    }
  } finally {
    await small.stop();
  }
});

async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round++) await delay(10);
}
