import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Call, Dialect, Part, ToolCallBlock } from "../contract/index.ts";
import { assembleParts, createSseReader, Secret } from "../kit/index.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/*
 * A tool-call round trip with parallel calls: every language a caller may speak, every provider, streamed and not.
 * An independent emulator stands in for the services; the caller's side is written and read with the dialect itself.
 */

const upstream = new LLMock({ port: 0 });
let gateway: TestGateway;

const callers = [
  { id: "openai-chat", path: "/chat/completions" },
  { id: "openai-responses", path: "/responses" },
  { id: "anthropic-messages", path: "/messages" },
] as const;

const providers: Record<
  string,
  (url: string) => { model: string; config: Record<string, unknown> }
> = {
  openai: (url) => ({
    model: "gpt-4.1",
    config: { baseUrl: `${url}/v1`, apiKey: new Secret("sk-x") },
  }),
  anthropic: (url) => ({
    model: "claude-haiku-4-5",
    config: { baseUrl: url, apiKey: new Secret("sk-ant-x") },
  }),
  gemini: (url) => ({
    model: "gemini-2.5-flash",
    config: { baseUrl: `${url}/v1beta`, apiKey: new Secret("AIza-x") },
  }),
  groq: (url) => ({
    model: "openai/gpt-oss-20b",
    config: { baseUrl: `${url}/openai/v1`, apiKey: new Secret("gsk_x") },
  }),
  "aws-bedrock": (url) => ({
    model: "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    config: {
      baseUrl: url,
      region: "us-east-1",
      accessKeyId: new Secret("AKIAIOSFODNN7EXAMPLE"),
      secretAccessKey: new Secret("secret-access-key"),
    },
  }),
  "openai-compatible": (url) => ({
    model: "some-model",
    config: { baseUrl: `${url}/v1`, apiKey: new Secret("sk-x") },
  }),
  echo: () => ({ model: "echo-tool-2", config: {} }),
};

beforeAll(async () => {
  upstream.on({ userMessage: "weather", hasToolResult: true }, { content: "Sunny in both" });
  upstream.on({ userMessage: "weather" }, {
    toolCalls: [
      { name: "get_weather", arguments: '{"city":"Oslo"}' },
      { name: "get_weather", arguments: '{"city":"Rome"}' },
    ],
  });
  [gateway] = await Promise.all([startTestGateway(), upstream.start()]);
  for (const [provider, settings] of Object.entries(providers)) {
    const { model, config } = settings(upstream.url);
    const connection = gateway.snapshot.setConnection(`to-${provider}`, provider, { config });
    gateway.snapshot.setResource(provider, {
      connectionId: connection.connectionId,
      provider,
      model,
    });
  }
});

afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const question: Call = {
  operation: "chat",
  model: "",
  stream: false,
  system: [],
  turns: [{ role: "user", parts: [{ type: "text", text: "weather in Oslo and Rome?" }] }],
  tools: [{
    type: "function",
    name: "get_weather",
    description: "Weather of a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, echo: { type: "string" } },
    },
  }],
  sampling: {},
  maxOutputTokens: 500,
  extras: {},
};

for (const { id, path } of callers) {
  for (const provider of Object.keys(providers)) {
    test.each([false, true])(`${id} callers of ${provider} (stream: %s)`, async (stream) => {
      const dialect = await gateway.dialect(id);
      const first = await ask(dialect, path, { ...question, model: provider, stream });
      const calls = first.filter((part): part is ToolCallBlock => part.type === "tool-call");
      expect(calls).toHaveLength(2);
      expect(new Set(calls.map((call) => call.id)).size).toBe(2);
      for (const call of calls) {
        expect(call.name).toBe("get_weather");
        expect(JSON.parse(call.arguments)).toBeTypeOf("object");
      }
      if (provider !== "echo") {
        expect(calls.map((call) => JSON.parse(call.arguments).city)).toEqual(["Oslo", "Rome"]);
      }
      expect(first).toContainEqual(expect.objectContaining({ type: "finish", reason: "tool-use" }));

      const second = await ask(dialect, path, {
        ...question,
        model: provider,
        stream,
        turns: [
          ...question.turns,
          {
            role: "assistant",
            parts: calls.map((call) => ({
              type: "tool-call" as const,
              id: call.id,
              name: call.name,
              input: JSON.parse(call.arguments),
              inputText: call.arguments,
            })),
          },
          {
            role: "tool",
            parts: calls.map((call, index) => ({
              type: "tool-result" as const,
              callId: call.id,
              name: call.name,
              content: [{ type: "text" as const, text: `sunny ${index}` }],
            })),
          },
        ],
      });
      const text = second.map((part) => (part.type === "text" ? part.text : "")).join("");
      expect(text).toMatch(provider === "echo" ? /sunny/ : /Sunny in both/);
      expect(second).toContainEqual(expect.objectContaining({ type: "finish", reason: "end" }));
    });
  }
}

/** Sends a call in the caller's language and reads the answer in it. */
async function ask(dialect: Dialect, path: string, call: Call): Promise<readonly Part[]> {
  const { value } = dialect.encodeRequest(call, { model: call.model, family: "caller" });
  const response = await fetch(`${gateway.baseURL}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  const body = await response.text();
  expect(response.status, body).toBe(200);
  if (!call.stream) return dialect.decodeResponse(JSON.parse(body), "chat").value;
  const decoder = dialect.streamDecoder();
  const reader = createSseReader();
  const frames = [...reader.push(Buffer.from(body)), ...reader.end()];
  return assembleParts([...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()]);
}
