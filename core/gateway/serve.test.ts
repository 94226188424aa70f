import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createApiKeyValue } from "../access/api-key-format.ts";
import type { Outcome } from "./exchange.ts";
import {
  createSlot,
  type ScriptedUpstream,
  startScriptedUpstream,
  startTestGateway,
  type TestGateway,
} from "./testing.ts";

let gateway: TestGateway;
let upstream: ScriptedUpstream;
let backup: ScriptedUpstream;

beforeAll(async () => {
  [gateway, upstream, backup] = await Promise.all([
    startTestGateway({ firstContentHoldMs: 400, keepAliveMs: 80, maxBodyBytes: 100_000 }, {
      connectTimeoutMs: 500,
      idleTimeoutMs: 500,
    }),
    startScriptedUpstream(),
    startScriptedUpstream(),
  ]);
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([upstream.stop(), backup.stop()]);
});

beforeEach(() => {
  gateway.services.closeCircuits();
  const main = gateway.snapshot.setConnection("main", "openai-compatible", {
    config: upstream.config,
  });
  const spare = gateway.snapshot.setConnection("spare", "openai-compatible", {
    config: backup.config,
  });
  const slot = { connectionId: main.connectionId, provider: main.provider, model: "up-1" };
  gateway.snapshot.setResource("chat", slot);
  gateway.snapshot.setResource("safe", slot, {
    fallbackModels: [
      createSlot({ connectionId: spare.connectionId, provider: spare.provider, model: "up-2" }),
    ],
  });
  backup.answer = (_request, response) => json(response, 200, completion("from the spare"));
  upstream.requests.length = 0;
  upstream.broken.length = 0;
});

const messages = [{ role: "user", content: "hi" }];

function call(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) {
  return fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gateway.apiKey}`,
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" || body instanceof Uint8Array
      ? body as BodyInit
      : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

// deno-lint-ignore no-explicit-any -- answers are looked into freely
const parsed = async (response: Response): Promise<any> => await response.json();

function json(
  response: Parameters<ScriptedUpstream["answer"]>[1],
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function completion(content: string) {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "up-1-2026",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  };
}

const chunk = (delta: unknown, finish: string | null = null) =>
  `data: ${
    JSON.stringify({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "up-1-2026",
      choices: [{ index: 0, delta, finish_reason: finish }],
    })
  }\n\n`;
const usageChunk = `data: ${
  JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "up-1-2026",
    choices: [],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  })
}\n\n`;
const done = "data: [DONE]\n\n";

function sse(response: Parameters<ScriptedUpstream["answer"]>[1]) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  return response;
}

test("the body reaches the provider with nothing but the model changed", async () => {
  upstream.answer = (_request, response) => json(response, 200, completion("ok"));
  const text =
    '{ "x_unknown" : 1.50e1,"model" : "chat", "messages":[{"role":"user","content":"hi \\u00e9"}] }';
  const response = await call(text);
  expect(response.status).toBe(200);
  expect(upstream.requests[0]!.body).toBe(text.replace('"chat"', '"up-1"'));
  expect(upstream.requests[0]!.headers.authorization).toBe(
    "Bearer sk-upstream-credential-1234567890",
  );
  expect(upstream.requests[0]!.url).toBe("/v1/chat/completions");
});

test("a plain answer leaves unchanged but for the appended vmx member", async () => {
  const text = JSON.stringify(completion("ok"), null, 2);
  upstream.answer = (_request, response) => json(response, 200, text, { "x-request-id": "req-9" });
  const response = await call({ model: "chat", messages });
  const body = await response.text();
  expect(body.startsWith(text.slice(0, -2))).toBe(true);
  const { vmx } = JSON.parse(body);
  expect(vmx.requestId).toBe(response.headers.get("x-vmx-request-id"));
  expect(vmx.metrics.totalDurationMs).toBeGreaterThan(0);
  expect(response.headers.get("x-request-id")).toBe("req-9");
  expect(response.headers.get("x-vmx-model")).toBe("up-1");
  expect(response.headers.get("x-vmx-provider")).toBe("openai-compatible");
});

test("a stream leaves byte for byte, less the usage frame nobody asked for", async () => {
  const frames = [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "a" }),
    chunk({}, "stop"),
  ];
  upstream.answer = (_request, response) => sse(response).end(frames.join("") + usageChunk + done);
  const response = await call({ model: "chat", messages, stream: true });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(await response.text()).toBe(frames.join("") + done);
  expect(JSON.parse(upstream.requests[0]!.body).stream_options).toEqual({ include_usage: true });
  expect(gateway.outcomes.at(-1)!.facts!.tokens).toMatchObject({ inputUncached: 5, output: 2 });
});

test("a caller who asks for usage gets the provider's frame", async () => {
  const body = chunk({ content: "a" }) + chunk({}, "stop") + usageChunk + done;
  upstream.answer = (_request, response) => sse(response).end(body);
  const response = await call({
    model: "chat",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(await response.text()).toBe(body);
});

test("metrics come as a last frame before the end marker when asked for", async () => {
  upstream.answer = (_request, response) =>
    sse(response).end(chunk({ content: "a" }) + chunk({}, "stop") + usageChunk + done);
  const response = await call({
    model: "chat",
    messages,
    stream: true,
    vmx: { includeMetrics: true },
  });
  const frames = (await response.text()).trimEnd().split("\n\n");
  expect(frames.at(-1)).toBe("data: [DONE]");
  const last = JSON.parse(frames.at(-2)!.slice(6));
  expect(last.choices).toEqual([]);
  expect(last.vmx.metrics.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
});

test("silence after the head is broken by keep-alive comments", async () => {
  upstream.answer = (_request, response) => {
    sse(response).write(chunk({ content: "a" }));
    setTimeout(() => response.end(chunk({}, "stop") + done), 250);
  };
  const text = await (await call({ model: "chat", messages, stream: true })).text();
  expect(text).toContain(": keep-alive\n\n");
  expect(text.replaceAll(": keep-alive\n\n", "")).toBe(
    chunk({ content: "a" }) + chunk({}, "stop") + done,
  );
});

const faults: [string, ScriptedUpstream["answer"], string, number][] = [
  [
    "answers 500",
    (_r, response) => json(response, 500, { error: { message: "boom" } }),
    "Provider unavailable",
    500,
  ],
  [
    "answers 429",
    (_r, response) => json(response, 429, { error: { message: "slow down" } }),
    "Rate limit exceeded",
    429,
  ],
  [
    "answers 401",
    (_r, response) =>
      json(response, 401, { error: { message: "bad key sk-upstream-credential-1234567890" } }),
    "Provider rejected the credential",
    502,
  ],
  [
    "answers 404",
    (_r, response) => json(response, 404, { error: { message: "no model" } }),
    "Provider rejected the request",
    404,
  ],
  [
    "answers HTML",
    (_r, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    "Invalid response",
    502,
  ],
  [
    "answers an HTML error page",
    (_r, response) => response.writeHead(502).end("<html>Bad gateway</html>"),
    "Provider unavailable",
    502,
  ],
  ["answers nothing", (_r, response) => response.writeHead(200).end(), "Invalid response", 502],
  ["answers broken JSON", (_r, response) => json(response, 200, '{"id":'), "Invalid response", 502],
  [
    "answers JSON of another shape",
    (_r, response) => json(response, 200, { ok: true }),
    "Invalid response",
    502,
  ],
  [
    "resets the connection",
    (_r, response) => response.socket!.resetAndDestroy(),
    "Connection failed",
    502,
  ],
  ["stalls", () => {}, "Timed out", 504],
];

test.each(faults)(
  "a provider that %s falls back, and alone is a clear error",
  async (_name, answer, reason, status) => {
    upstream.answer = answer;
    const served = await call({ model: "safe", messages });
    expect(served.status).toBe(200);
    expect((await parsed(served)).choices[0].message.content).toBe("from the spare");
    expect(served.headers.get("x-vmx-event-count")).toBe("1");
    expect(served.headers.get("x-vmx-event-0-type")).toBe("fallback");
    expect(served.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe(reason);
    expect(served.headers.get("x-vmx-event-0-fallback-status-code")).toBe(String(status));
    expect(served.headers.get("x-vmx-model")).toBe("up-2");

    const refused = await call({ model: "chat", messages });
    expect(refused.status).toBe(status);
    const text = await refused.text();
    expect(JSON.parse(text).error.message).toBeTruthy();
    expect(text).not.toContain("sk-upstream");
    expect(text).not.toContain("<html");
  },
);

const streamFaults: [string, ScriptedUpstream["answer"], string][] = [
  [
    "sends an error frame first",
    (_r, response) =>
      sse(response).end('data: {"error":{"message":"overloaded","code":"busy"}}\n\n'),
    "Stream failed before content",
  ],
  ["sends only a role and breaks off", (_r, response) => {
    sse(response).write(chunk({ role: "assistant", content: "" }));
    setTimeout(() => response.destroy(), 20);
  }, "Stream failed before content"],
  [
    "ends without a finish",
    (_r, response) => sse(response).end(chunk({ role: "assistant", content: "" })),
    "Invalid response",
  ],
  [
    "answers plain JSON",
    (_r, response) => json(response, 200, completion("x")),
    "Invalid response",
  ],
];

test.each(streamFaults)("a stream that %s falls back unseen", async (_name, answer, reason) => {
  const body = chunk({ content: "spare" }) + chunk({}, "stop") + done;
  backup.answer = (_request, response) => sse(response).end(body);
  upstream.answer = answer;
  const response = await call({ model: "safe", messages, stream: true });
  expect(await response.text()).toBe(body);
  expect(response.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe(reason);
});

test.each<[string, (response: Parameters<ScriptedUpstream["answer"]>[1]) => void]>([
  ["breaks off", (response) => response.destroy()],
  ["ends without a finish", (response) => response.end()],
  ["stalls", () => {}],
])(
  "a stream that %s after content ends with the dialect's error frame and no end marker",
  async (_name, fail) => {
    upstream.answer = (_request, response) => {
      sse(response).write(chunk({ content: "half" }));
      setTimeout(() => fail(response), 20);
    };
    const text = await (await call({ model: "safe", messages, stream: true })).text();
    const frames = text.replaceAll(": keep-alive\n\n", "").trimEnd().split("\n\n");
    expect(frames[0]).toBe(chunk({ content: "half" }).trimEnd());
    expect(JSON.parse(frames.at(-1)!.slice(6)).error.message).toBeTruthy();
    expect(text).not.toContain("[DONE]");
    expect(gateway.outcomes.at(-1)!.status).toBe("partial");
  },
);

test("the head is sent when the hold time is over, even without content", async () => {
  upstream.answer = (_request, response) => {
    const timer = setInterval(() => response.write(": thinking\n\n"), 50);
    sse(response).write(chunk({ role: "assistant", content: "" }));
    setTimeout(() => {
      clearInterval(timer);
      response.end(chunk({ content: "late" }) + chunk({}, "stop") + done);
    }, 900);
  };
  const startedAt = performance.now();
  const response = await call({ model: "chat", messages, stream: true });
  const headAfter = performance.now() - startedAt;
  expect(headAfter).toBeGreaterThan(350);
  expect(headAfter).toBeLessThan(850);
  expect(await response.text()).toContain("late");
});

test.each([true, false])(
  "a caller who leaves breaks the upstream call off within 100 ms (stream: %s)",
  async (stream) => {
    upstream.answer = (_request, response) => {
      if (stream) sse(response).write(chunk({ content: "a" }));
    };
    const took: number[] = [];
    // The best of a few tries: a busy machine may delay one, a missing abort delays all.
    for (let round = 0; round < 5; round++) {
      upstream.requests.length = 0;
      upstream.broken.length = 0;
      const before = gateway.outcomes.length;
      const controller = new AbortController();
      const pending = call({ model: "safe", messages, stream }, {}, controller.signal);
      pending.catch(() => {});
      if (stream) await pending;
      await until(() => upstream.requests.length > 0);
      const leftAt = performance.now();
      controller.abort();
      await until(() => upstream.broken.length > 0);
      took.push(performance.now() - leftAt);
      await until(() => gateway.outcomes.length > before);
      expect(gateway.outcomes.at(-1)!.status).toBe("aborted");
      expect(gateway.outcomes.at(-1)!.exchange.legs).toHaveLength(1);
    }
    expect(Math.min(...took)).toBeLessThan(100);
  },
);

async function until(condition: () => boolean): Promise<void> {
  const endsAt = performance.now() + 2000;
  while (!condition()) {
    if (performance.now() > endsAt) throw new Error("it did not come about in time");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test("a leg slower than its own time is abandoned, the request's time ends everything", async () => {
  upstream.answer = () => {};
  const main = gateway.snapshot.setConnection("main", "openai-compatible", {
    config: upstream.config,
  });
  const spare = gateway.snapshot.setConnection("spare", "openai-compatible", {
    config: backup.config,
  });
  gateway.snapshot.setResource("timed", {
    connectionId: main.connectionId,
    provider: main.provider,
    timeoutMs: 120,
  }, {
    fallbackModels: [createSlot({ connectionId: spare.connectionId, provider: spare.provider })],
  });
  const served = await call({ model: "timed", messages });
  expect(served.status).toBe(200);
  expect(served.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe("Timed out");

  const refused = await call({ model: "timed", messages, vmx: { timeoutMs: 60 } });
  expect(gateway.outcomes.at(-1)!.exchange.legs).toHaveLength(1);
  expect(refused.status).toBe(504);
  expect((await parsed(refused)).error.code).toBe("request_timeout");
});

test("a leg is tried again as often as its slot allows", async () => {
  let calls = 0;
  upstream.answer = (_request, response) =>
    ++calls < 3
      ? json(response, 503, { error: { message: "busy" } }, { "retry-after-ms": "5" })
      : json(response, 200, completion("third time"));
  const main = gateway.snapshot.setConnection("main", "openai-compatible", {
    config: upstream.config,
  });
  gateway.snapshot.setResource("patient", {
    connectionId: main.connectionId,
    provider: main.provider,
    maxRetries: 2,
  });
  const response = await call({ model: "patient", messages });
  expect((await parsed(response)).choices[0].message.content).toBe("third time");
  expect(calls).toBe(3);
  expect(gateway.outcomes.at(-1)!.exchange.legs[0]!.retries.map(({ statusCode }) => statusCode))
    .toEqual([503, 503]);
});

test("a provider that keeps failing is left out for a while, unless nothing else is left", async () => {
  upstream.answer = (_request, response) => json(response, 503, { error: { message: "down" } });
  for (let round = 0; round < 10; round++) await call({ model: "safe", messages });
  upstream.requests.length = 0;
  const response = await call({ model: "safe", messages });
  expect(response.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe("Circuit open");
  expect(upstream.requests).toHaveLength(0);
  expect(gateway.outcomes.at(-1)!.exchange.legs[0]!.outcome).toBe("skipped");
  await call({ model: "chat", messages });
  expect(upstream.requests).toHaveLength(1);
});

test("a same-dialect error body is returned byte for byte", async () => {
  const body =
    '{"error": {"message":"Too long",  "type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}';
  upstream.answer = (_request, response) => json(response, 400, body);
  const response = await call({ model: "chat", messages });
  expect(response.status).toBe(400);
  expect(await response.text()).toBe(body);
  expect(response.headers.get("x-should-retry")).toBe("false");
});

const badRequests: [string, unknown, Record<string, string>, number, string][] = [
  ["broken JSON", '{"model":', {}, 400, "invalid_request"],
  ["an empty body", "", {}, 400, "invalid_request"],
  ["a JSON array", "[]", {}, 400, "invalid_request"],
  ["no model", { messages }, {}, 400, "invalid_request"],
  ["a model that is no text", { model: 5, messages }, {}, 400, "invalid_request"],
  ["no messages", { model: "chat" }, {}, 400, "invalid_request"],
  ["messages of the wrong type", { model: "chat", messages: "hi" }, {}, 400, "invalid_request"],
  [
    "a member twice",
    '{"model":"chat","messages":[],"mod\\u0065l":"x"}',
    {},
    400,
    "invalid_request",
  ],
  [
    "JSON nested too deep",
    `{"model":"chat","messages":[{"role":"user","content":"x"}],"x":${"[".repeat(70)}${
      "]".repeat(70)
    }}`,
    {},
    400,
    "invalid_request",
  ],
  [
    "a body above the limit",
    { model: "chat", messages, pad: "x".repeat(120_000) },
    {},
    413,
    "request_too_large",
  ],
  ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), {}, 400, "invalid_request"],
  ["damaged gzip", Buffer.from("not gzip"), { "content-encoding": "gzip" }, 400, "invalid_request"],
  ["an unknown encoding", "x", { "content-encoding": "zstd" }, 400, "invalid_request"],
  ["an unknown model", { model: "nope", messages }, {}, 404, "AI_RESOURCE_NOT_FOUND"],
  ["an unknown connection", { model: "nowhere/gpt", messages }, {}, 404, "AI_RESOURCE_NOT_FOUND"],
  [
    "an unknown envelope member",
    { model: "chat", messages, vmx: { a: 1 } },
    {},
    400,
    "invalid_request",
  ],
  [
    "a secondary model out of range",
    { model: "chat", messages, vmx: { secondaryModelIndex: 0 } },
    {},
    400,
    "COMPLETION_SECONDARY_MODEL_NOT_FOUND",
  ],
  [
    "two different credentials",
    { model: "chat", messages },
    { "x-api-key": "another-credential" },
    401,
    "invalid_api_key",
  ],
  [
    "an unknown key",
    { model: "chat", messages },
    { authorization: `Bearer ${createApiKeyValue()}` },
    401,
    "invalid_api_key",
  ],
  [
    "a key with a wrong checksum",
    { model: "chat", messages },
    { authorization: "Bearer vmx_sk_x" },
    401,
    "invalid_api_key",
  ],
  [
    "no Bearer scheme",
    { model: "chat", messages },
    { authorization: "Basic abc" },
    401,
    "invalid_api_key",
  ],
];

test.each(badRequests)(
  "%s is a clear error in the caller's dialect",
  async (_name, body, headers, status, code) => {
    const response = await call(body, headers);
    const { error } = await parsed(response);
    expect({ status: response.status, code: error.code }).toEqual({ status, code });
    expect(typeof error.message).toBe("string");
    expect(typeof error.type).toBe("string");
    expect(response.headers.get("x-vmx-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(upstream.requests).toEqual([]);
  },
);

test("a credential header that comes twice is refused", async () => {
  const { port } = new URL(gateway.url);
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), "127.0.0.1");
    let text = "";
    socket.on("data", (data) => {
      text += data.toString();
      socket.end();
    });
    socket.on("close", () => resolve(text));
    const body = JSON.stringify({ model: "demo", messages });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.apiKey}\r\n` +
        `authorization: Bearer ${gateway.apiKey}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  });
  expect(answer).toContain("401 Unauthorized");
});

test("compressed bodies are read", async () => {
  const body = gzipSync(JSON.stringify({ model: "demo", messages }));
  const response = await call(body, { "content-encoding": "gzip" });
  expect((await parsed(response)).choices[0].message.content).toBe("hi");
});

test("a gzip bomb stops at the limit", async () => {
  const response = await call(gzipSync(Buffer.alloc(50_000_000, 32)), {
    "content-encoding": "gzip",
  });
  expect(response.status).toBe(413);
});

test("both bases and both credential headers answer alike", async () => {
  for (const base of [gateway.baseURL, gateway.longBaseURL]) {
    const response = await fetch(`${base}/chat/completions`, {
      method: "POST",
      headers: { "x-api-key": gateway.apiKey },
      body: JSON.stringify({ model: "demo", messages }),
    });
    expect((await parsed(response)).choices[0].message.content).toBe("hi");
  }
});

test("a long path of another environment does not exist for the key", async () => {
  const response = await fetch(
    `${gateway.url}/v1/completion/${crypto.randomUUID()}/${crypto.randomUUID()}/chat/completions`,
    { method: "POST", headers: { "x-api-key": gateway.apiKey }, body: "{}" },
  );
  expect(response.status).toBe(404);
  expect((await parsed(response)).error.code).toBe("ENVIRONMENT_NOT_FOUND");
});

test("a connection and a model may be named in one breath unless the key forbids it", async () => {
  upstream.answer = (_request, response) => json(response, 200, completion("ad hoc"));
  const response = await call({ model: "main/vendor/model:0", messages });
  expect((await parsed(response)).choices[0].message.content).toBe("ad hoc");
  expect(response.headers.get("x-vmx-resource-id")).toBe("ephemeral");
  expect(JSON.parse(upstream.requests[0]!.body).model).toBe("vendor/model:0");

  const narrow = createApiKeyValue();
  gateway.snapshot.setApiKey(narrow, { allowAdHoc: false });
  const refused = await call({ model: "main/m", messages }, { authorization: `Bearer ${narrow}` });
  expect(refused.status).toBe(403);
  expect((await parsed(refused)).error.code).toBe("ad_hoc_not_allowed");
});

test("disabled, expired and unassigned keys are told apart", async () => {
  const cases: [Parameters<typeof gateway.snapshot.setApiKey>[1], number, string][] = [
    [{ enabled: false }, 401, "api_key_disabled"],
    [{ expiresAt: new Date(Date.now() - 1000) }, 401, "api_key_expired"],
    [{ restrictToAssigned: true }, 403, "API_KEY_RESOURCE_NOT_AUTHORIZED"],
    [{ validUntil: new Date(Date.now() - 1000) }, 401, "invalid_api_key"],
  ];
  for (const [key, status, code] of cases) {
    const value = createApiKeyValue();
    gateway.snapshot.setApiKey(value, key);
    const response = await call({ model: "demo", messages }, { authorization: `Bearer ${value}` });
    expect(response.status).toBe(status);
    expect((await parsed(response)).error.code).toBe(code);
  }
});

test("legs that cannot be called let the next one serve", async () => {
  const spare = gateway.snapshot.setConnection("spare", "openai-compatible", {
    config: backup.config,
  });
  const fallbackModels = [
    createSlot({ connectionId: spare.connectionId, provider: spare.provider }),
  ];
  const cases: [Parameters<typeof gateway.snapshot.setConnection>[2], string, string][] = [
    [{ enabled: false }, "Connection disabled", "connection_disabled"],
    [
      { config: undefined, credentialError: "x" },
      "Credential unavailable",
      "credential_unavailable",
    ],
    [
      { config: upstream.config, allowedModels: ["other-*"] },
      "Model not allowed",
      "model_not_allowed",
    ],
  ];
  for (const [connection, reason, code] of cases) {
    const broken = gateway.snapshot.setConnection("broken", "openai-compatible", connection);
    const slot = { connectionId: broken.connectionId, provider: broken.provider };
    gateway.snapshot.setResource("legs", slot, { fallbackModels });
    const served = await call({ model: "legs", messages });
    expect(served.headers.get("x-vmx-event-0-fallback-failure-reason")).toBe(reason);
    gateway.snapshot.setResource("legs", slot);
    expect((await parsed(await call({ model: "legs", messages }))).error.code).toBe(code);
  }
});

test("probes answer empty, unknown paths and methods answer in the dialect", async () => {
  for (const base of [gateway.baseURL, gateway.longBaseURL]) {
    for (const method of ["GET", "HEAD"]) {
      const probe = await fetch(base, { method });
      expect({ status: probe.status, text: await probe.text() }).toEqual({ status: 200, text: "" });
    }
  }
  const unknown = await fetch(`${gateway.baseURL}/nothing`, { method: "POST", body: "{}" });
  expect(unknown.status).toBe(404);
  expect((await parsed(unknown)).error.code).toBe("ROUTE_NOT_FOUND");
  const wrong = await fetch(`${gateway.baseURL}/chat/completions`);
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get("allow")).toBe("POST");
});

test("the models list holds what the key may call", async () => {
  const value = createApiKeyValue();
  const key = gateway.snapshot.setApiKey(value);
  const echo = gateway.snapshot.setConnection("echo", "echo");
  const slot = { connectionId: echo.connectionId, provider: "echo", model: "echo" };
  gateway.snapshot.setResource("secret", slot, { assignedApiKeys: new Set(["someone-else"]) });
  gateway.snapshot.setResource("mine/too", slot, { assignedApiKeys: new Set([key.apiKeyId]) });
  gateway.snapshot.setResource("off", slot, { enabled: false });
  const headers = { authorization: `Bearer ${value}` };
  const list = await parsed(await fetch(`${gateway.baseURL}/models`, { headers }));
  const ids = list.data.map(({ id }: { id: string }) => id);
  expect(ids).toContain("mine/too");
  expect(ids).not.toContain("secret");
  expect(ids).not.toContain("off");
  const one = await parsed(await fetch(`${gateway.longBaseURL}/models/mine/too`, { headers }));
  expect(one.id).toBe("mine/too");
  const none = await fetch(`${gateway.baseURL}/models/off`, { headers });
  expect(none.status).toBe(404);
});

test("correlation id and metadata come back in headers, cleaned", async () => {
  const response = await call(
    { model: "demo", messages, vmx: { correlationId: "a\u0007b", metadata: { Team: "rötes" } } },
    { "x-vmx-metadata-run": "7" },
  );
  expect(response.headers.get("x-vmx-correlation-id")).toBe("ab");
  expect(response.headers.get("x-vmx-metadata-team")).toBe("rtes");
  expect(response.headers.get("x-vmx-metadata-run")).toBe("7");
});

for (const [name, body] of [["plain", {}], ["streamed", { stream: true }]] as const) {
  test(`the end of a ${name} answer waits until the request is on record`, async () => {
    const { onFinished } = gateway.services;
    const recorded = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    Object.assign(gateway.services, {
      onFinished(outcome: Outcome) {
        void onFinished(outcome);
        finished.resolve();
        return recorded.promise;
      },
    });
    try {
      let ended = false;
      const answer = call({ model: "demo", messages, ...body })
        .then((response) => response.text())
        .finally(() => ended = true);
      await finished.promise;
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(ended).toBe(false);
      recorded.resolve();
      expect(await answer).toContain("hi");
    } finally {
      recorded.resolve();
      Object.assign(gateway.services, { onFinished });
    }
  });
}

test("every exchange finishes exactly once, whatever happened to it", () => {
  const ids = gateway.outcomes.map(({ exchange }) => exchange.requestId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(50);
});
