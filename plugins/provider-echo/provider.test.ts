import { beforeEach, expect, test } from "vitest";
import type {
  JsonObject,
  Provider,
  ProviderConnection,
  ProviderRequest,
  ProviderResponse,
} from "@vmx/core/contract";
import { packReasoning } from "@vmx/core/kit";
import { openaiChat } from "@vmx/dialect-openai-chat/dialect";
import { createEchoProvider } from "./provider.ts";

/*
 * The echo provider speaks through a real dialect: what is checked is what a client would see on the wire.
 */

let waits: number[];
let provider: Provider;

beforeEach(() => {
  waits = [];
  provider = createEchoProvider({
    clock: { now: () => 1_750_000_000_000 },
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      if (ms > 0) waits.push(ms);
    },
    dialects: [openaiChat],
  });
});

const hello = [{ role: "user", content: "hello big world" }];
const weather = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: {} } },
};

interface Sent {
  readonly config?: ProviderConnection["config"];
  readonly signal?: AbortSignal;
  readonly operation?: ProviderRequest["operation"];
}

function send(body: JsonObject, sent: Sent = {}): Promise<ProviderResponse> {
  const connection = { config: sent.config ?? {} } as ProviderConnection;
  const operation = sent.operation ?? "chat";
  const request: ProviderRequest = {
    requestId: "req-1",
    operation,
    dialect: "openai-chat",
    model: String(body["model"]),
    stream: body["stream"] === true,
    path: "/chat/completions",
    body: JSON.stringify(body),
    bodyObject: () => body,
    headers: {},
  };
  return provider.send(request, connection, sent.signal ?? new AbortController().signal);
}

async function text(response: ProviderResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// deno-lint-ignore no-explicit-any -- answers are read as a client without types would
type Answer = any;

async function chat(model: string, members: JsonObject = {}, sent: Sent = {}): Promise<Answer> {
  const response = await send({ model, messages: hello, ...members }, sent);
  return JSON.parse(await text(response));
}

async function frames(model: string, members: JsonObject = {}): Promise<Answer[]> {
  const body = { model, messages: hello, stream: true, ...members };
  const response = await send(body);
  expect(response.framing).toBe("sse");
  const lines = (await text(response)).split("\n\n").filter((frame) => frame !== "");
  expect(lines.pop()).toBe("data: [DONE]");
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

test("the answer is the last user text, with the estimator's usage", async () => {
  const answer = await chat("echo");
  expect(answer.model).toBe("echo");
  expect(answer.created).toBe(1_750_000_000);
  expect(answer.choices[0].message.content).toBe("hello big world");
  expect(answer.choices[0].finish_reason).toBe("stop");
  expect(answer.usage.prompt_tokens).toBe(3 + 4 + 4);
  expect(answer.usage.completion_tokens).toBe(4);
});

test("the same request has the same answer, and the seed changes its id only", async () => {
  const one = await chat("echo");
  expect(await chat("echo")).toEqual(one);
  const seeded = await chat("echo", {}, { config: { seed: 7 } });
  expect(seeded.id).not.toBe(one.id);
  expect({ ...seeded, id: "" }).toEqual({ ...one, id: "" });
});

test("the label stands before the answer", async () => {
  const answer = await chat("echo", {}, { config: { label: "[eu]" } });
  expect(answer.choices[0].message.content).toBe("[eu] hello big world");
});

test("a stream comes word by word and assembles to the plain answer", async () => {
  const chunks = await frames("echo");
  const words = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
  expect(words).toEqual(["hello", " big", " world"]);
  expect(chunks.at(-1).choices[0].finish_reason).toBe("stop");
});

test("usage is streamed when it is asked for", async () => {
  const chunks = await frames("echo", { stream_options: { include_usage: true } });
  expect(chunks.at(-1).choices).toEqual([]);
  expect(chunks.at(-1).usage.completion_tokens).toBe(4);
});

test("slow waits once before the first part, pace waits between parts", async () => {
  await frames("echo-slow-200ms-pace-5ms");
  expect(waits).toEqual([200, 5, 5]);
  waits.length = 0;
  await chat("echo-slow-200ms-pace-5ms");
  expect(waits).toEqual([200]);
});

test.each([400, 401, 404, 500, 503])(
  "status %i is answered in the dialect's error form",
  async (status) => {
    const response = await send({ model: `echo-status-${status}`, messages: hello });
    expect(response.status).toBe(status);
    expect(response.framing).toBe("json");
    const { error } = JSON.parse(await text(response));
    expect(error.message).toContain(String(status));
  },
);

test("status 429 tells limits and when to come back", async () => {
  const response = await send({ model: "echo-status-429", messages: hello, stream: true });
  expect(response.status).toBe(429);
  expect(response.headers["retry-after"]).toBe("7");
  expect(provider.limits?.(response.headers)?.requests).toEqual({
    limit: 60,
    remaining: 0,
    resetAfterMs: 7000,
  });
});

test("slow and status go together in any order", async () => {
  for (const model of ["echo-slow-200ms-status-503", "echo-status-503-slow-200ms"]) {
    waits.length = 0;
    expect((await send({ model, messages: hello, stream: true })).status).toBe(503);
    expect(waits).toEqual([200]);
  }
});

test.each([0, 1, 2, 50])("a stream breaks off after %i parts", async (count) => {
  const response = await send({ model: `echo-fail-after-${count}`, messages: hello, stream: true });
  expect(response.status).toBe(200);
  let seen = "";
  const reading = (async () => {
    for await (const chunk of response.body) seen += Buffer.from(chunk).toString();
  })();
  await expect(reading).rejects.toMatchObject({ name: "ProviderFailure", kind: "reset" });
  expect(seen.match(/"content":" ?\w+"/g) ?? []).toHaveLength(Math.min(count, 3));
  expect(seen).not.toContain("[DONE]");
});

test("a plain answer that is to break off is a reset", async () => {
  await expect(chat("echo-fail-after-2")).rejects.toMatchObject({ kind: "reset" });
});

test("hang never answers and ends with the signal's reason", async () => {
  const controller = new AbortController();
  const calling = send({ model: "echo-hang", messages: hello }, { signal: controller.signal });
  const reason = new Error("client left");
  setTimeout(() => controller.abort(reason), 10);
  await expect(calling).rejects.toBe(reason);
});

test("tokens gives that many words and that many completion tokens", async () => {
  const answer = await chat("echo-tokens-7");
  expect(answer.choices[0].message.content.split(" ")).toHaveLength(7);
  expect(answer.usage.completion_tokens).toBe(7);
  expect((await chat("echo-tokens-0")).usage.completion_tokens).toBe(0);
});

test("tool calls the first offered tool and answers with its result", async () => {
  const answer = await chat("echo-tool", { tools: [weather] });
  const [call] = answer.choices[0].message.tool_calls;
  expect(answer.choices[0].finish_reason).toBe("tool_calls");
  expect(call.function).toEqual({ name: "get_weather", arguments: '{"echo":"hello big world"}' });
  const messages = [
    ...hello,
    answer.choices[0].message,
    { role: "tool", tool_call_id: call.id, content: "sunny, 21 °C" },
  ];
  const next = await chat("echo-tool", { tools: [weather], messages });
  expect(next.choices[0].message.content).toBe("sunny, 21 °C");
});

test("several tool calls are made in parallel, each with an id of its own, streamed too", async () => {
  const answer = await chat("echo-tool-3", { tools: [weather] });
  const ids = answer.choices[0].message.tool_calls.map((call: Answer) => call.id);
  expect(new Set(ids).size).toBe(3);
  const chunks = await frames("echo-tool-3", { tools: [weather] });
  const started = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])
    .filter((call) => call.id !== undefined);
  expect(started.map((call) => call.id)).toEqual(ids);
});

test("tool choice is obeyed", async () => {
  const other = { type: "function", function: { name: "other" } };
  const tools = [weather, other];
  const none = await chat("echo-tool", { tools, tool_choice: "none" });
  expect(none.choices[0].message.content).toBe("hello big world");
  const named = await chat("echo-tool", {
    tools,
    tool_choice: { type: "function", function: { name: "other" } },
  });
  expect(named.choices[0].message.tool_calls[0].function.name).toBe("other");
  const single = await chat("echo-tool-3", { tools, parallel_tool_calls: false });
  expect(single.choices[0].message.tool_calls).toHaveLength(1);
  expect((await chat("echo-tool")).choices[0].message.content).toBe("hello big world");
});

test("json answers an object that satisfies the schema", async () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string", minLength: 2 }, celsius: { type: "integer" } },
    required: ["city", "celsius"],
    additionalProperties: false,
  };
  const answer = await chat("echo-json", {
    response_format: { type: "json_schema", json_schema: { name: "w", schema, strict: true } },
  });
  expect(JSON.parse(answer.choices[0].message.content)).toEqual({ city: "aa", celsius: 0 });
  const free = await chat("echo-json", { response_format: { type: "json_object" } });
  expect(JSON.parse(free.choices[0].message.content)).toEqual({ echo: "hello big world" });
});

test("think gives signed reasoning, takes it back, and refuses an altered signature", async () => {
  const answer = await chat("echo-think");
  const { message } = answer.choices[0];
  expect(message.content).toBe("hello big world");
  expect(JSON.stringify(message)).toContain("The answer repeats: hello big world");
  expect(answer.usage.completion_tokens_details.reasoning_tokens).toBeGreaterThan(0);
  const again = (said: unknown) => [...hello, said, { role: "user", content: "and now?" }];
  const kept = await chat("echo-think", { messages: again(message) as never });
  expect(kept.choices[0].message.content).toBe("and now?");
  const forged = packReasoning({ family: "echo", signature: "echo:0" });
  const altered = JSON.parse(JSON.stringify(message).replace(/vmx1\.[\w-]+/, forged));
  for (const stream of [false, true]) {
    const body = { model: "echo-think", messages: again(altered) as never, stream };
    const response = await send(body);
    expect(response.status).toBe(400);
    expect(await text(response)).toContain("signature");
  }
});

test("refuse, length and filter end as their names say", async () => {
  const refused = (await chat("echo-refuse")).choices[0];
  expect(refused.message.refusal).toBe("I cannot answer that.");
  expect((await chat("echo-length")).choices[0].finish_reason).toBe("length");
  expect((await chat("echo-filter")).choices[0].finish_reason).toBe("content_filter");
});

test("limits are reported as headers", async () => {
  const response = await send({ model: "echo-limits-10-2000", messages: hello });
  expect(provider.limits?.(response.headers)).toEqual({
    requests: { limit: 10, remaining: 9, resetAfterMs: 7000 },
    tokens: { limit: 2000, remaining: 1989, resetAfterMs: 7000 },
  });
});

test("nousage reports none, streamed or not", async () => {
  expect((await chat("echo-nousage")).usage ?? null).toBeNull();
  const chunks = await frames("echo-nousage", { stream_options: { include_usage: true } });
  expect(chunks.every((chunk) => (chunk.usage ?? null) === null)).toBe(true);
});

test("an unknown directive is a model that does not exist", async () => {
  const response = await send({ model: "echo-nope", messages: hello });
  expect(response.status).toBe(404);
  expect(JSON.parse(await text(response)).error.code).toBe("model_not_found");
});

test("several answers are given when they are asked for", async () => {
  const answer = await chat("echo", { n: 2 });
  expect(answer.choices.map((choice: Answer) => choice.index)).toEqual([0, 1]);
});

test("embeddings have unit length and depend on the text only", async () => {
  const embed = async (members: JsonObject): Promise<Answer> => {
    const body = { model: "echo", ...members };
    return JSON.parse(await text(await send(body, { operation: "embeddings" })));
  };
  const answer = await embed({ input: ["a", "b", "a"], encoding_format: "float" });
  const vectors: number[][] = answer.data.map((each: Answer) => each.embedding);
  expect(vectors.map((vector) => vector.length)).toEqual([16, 16, 16]);
  expect(vectors[0]).toEqual(vectors[2]);
  expect(vectors[0]).not.toEqual(vectors[1]);
  for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
  const short = await embed({ input: "a", dimensions: 3, encoding_format: "float" });
  expect(short.data[0].embedding).toHaveLength(3);
  const packed = await embed({ input: "a", encoding_format: "base64" });
  const bytes = Buffer.from(packed.data[0].embedding, "base64");
  expect(new Float32Array(bytes.buffer, bytes.byteOffset, 16)[0]).toBeCloseTo(vectors[0]![0]!, 5);
});

test("a stream ends with the signal's reason when the caller leaves", async () => {
  const controller = new AbortController();
  const body = { model: "echo-pace-5ms", messages: hello, stream: true };
  const response = await send(body, { signal: controller.signal });
  const iterator = response.body[Symbol.asyncIterator]();
  await iterator.next();
  const reason = new Error("client left");
  controller.abort(reason);
  await expect(iterator.next()).rejects.toBe(reason);
});
