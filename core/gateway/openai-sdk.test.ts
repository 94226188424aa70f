import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Secret } from "../kit/index.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/* The official SDK, unmodified, against both base URLs; an independent emulator stands in for the provider. */

let gateway: TestGateway;
const upstream = new LLMock({ port: 0 });

beforeAll(async () => {
  upstream.onMessage("weather", {
    toolCalls: [
      { name: "get_weather", arguments: '{"city":"Oslo"}' },
      { name: "get_weather", arguments: '{"city":"Rome"}' },
    ],
  });
  upstream.onMessage("hello", { content: "Hi there, how are you today?" });
  [gateway] = await Promise.all([startTestGateway(), upstream.start()]);
  const mock = gateway.snapshot.setConnection("mock", "openai", {
    config: { baseUrl: `${upstream.url}/v1`, apiKey: new Secret("sk-mock") },
  });
  gateway.snapshot.setResource("mocked", {
    connectionId: mock.connectionId,
    provider: "openai",
    model: "gpt-4.1",
  });
  const echo = gateway.snapshot.setConnection("echo", "echo");
  for (
    const model of ["echo", "echo-tool-2", "echo-status-429", "echo-fail-after-2", "echo-json"]
  ) {
    gateway.snapshot.setResource(model, {
      connectionId: echo.connectionId,
      provider: "echo",
      model,
    });
  }
});

afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const tools: OpenAI.Chat.ChatCompletionTool[] = [{
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
}];

const user = (content: string): OpenAI.Chat.ChatCompletionMessageParam => ({
  role: "user",
  content,
});

for (const base of ["short", "long"] as const) {
  const client = () =>
    new OpenAI({
      apiKey: gateway.apiKey,
      baseURL: base === "short" ? gateway.baseURL : gateway.longBaseURL,
      maxRetries: 0,
    });

  test(`${base} base: a plain answer from the echo provider and from the emulator`, async () => {
    const echoed = await client().chat.completions.create({
      model: "demo",
      messages: [user("Hello from a test")],
    });
    expect(echoed.choices[0]!.message.content).toBe("Hello from a test");
    expect(echoed.usage!.total_tokens).toBeGreaterThan(0);
    const { data, response, request_id } = await client().chat.completions.create({
      model: "mocked",
      messages: [user("hello")],
    }).withResponse();
    expect(data.choices[0]!.message.content).toBe("Hi there, how are you today?");
    expect(response.headers.get("x-vmx-provider")).toBe("openai");
    expect(request_id).toBeTruthy();
  });

  test(`${base} base: a stream arrives in pieces and ends`, async () => {
    for (const model of ["demo", "mocked"]) {
      const stream = await client().chat.completions.create({
        model,
        messages: [user("hello")],
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = "";
      let usage: OpenAI.CompletionUsage | null | undefined;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        usage ??= chunk.usage;
      }
      expect(text).toBe(model === "demo" ? "hello" : "Hi there, how are you today?");
      expect(usage!.completion_tokens).toBeGreaterThan(0);
    }
  });

  test.each([true, false])(
    `${base} base: parallel tool calls and their results (stream: %s)`,
    async (stream) => {
      for (const [model, content] of [["echo-tool-2", "Oslo"], ["mocked", "weather"]] as const) {
        const body = { model, messages: [user(content)], tools };
        const message = stream
          ? (await client().chat.completions.stream(body).finalChatCompletion()).choices[0]!.message
          : (await client().chat.completions.create(body)).choices[0]!.message;
        expect(message.tool_calls).toHaveLength(2);
        for (const toolCall of message.tool_calls!) {
          if (toolCall.type !== "function") throw new Error("a function call was expected");
          expect(toolCall.function.name).toBe("get_weather");
          expect(JSON.parse(toolCall.function.arguments)).toBeTypeOf("object");
        }
        if (model === "mocked") continue;
        const results = message.tool_calls!.map((toolCall, index) => ({
          role: "tool" as const,
          tool_call_id: toolCall.id,
          content: `result ${index}`,
        }));
        const next = await client().chat.completions.create({
          ...body,
          messages: [user(content), message, ...results],
        });
        expect(next.choices[0]!.message.content).toContain("result");
      }
    },
  );

  test(`${base} base: typed errors for 401, 404, 429 and a failure in mid-stream`, async () => {
    const wrong = new OpenAI({ apiKey: "nobody", baseURL: client().baseURL, maxRetries: 0 });
    const ask = (openai: OpenAI, model: string) =>
      openai.chat.completions.create({ model, messages: [user("hello")] });
    await expect(ask(wrong, "demo")).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(ask(client(), "nothing")).rejects.toMatchObject({
      status: 404,
      code: "AI_RESOURCE_NOT_FOUND",
    });
    const limited = ask(client(), "echo-status-429");
    await expect(limited).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    await expect(limited).rejects.toMatchObject({ headers: expect.anything() });
    const stream = await client().chat.completions.create({
      model: "echo-fail-after-2",
      messages: [user("one two three four five six")],
      stream: true,
    });
    const received: string[] = [];
    await expect((async () => {
      for await (const chunk of stream) received.push(chunk.choices[0]?.delta.content ?? "");
    })()).rejects.toBeInstanceOf(OpenAI.APIError);
    expect(received.join("")).toMatch(/^one/);
  });

  test(`${base} base: Responses, plain and streamed`, async () => {
    for (const [model, text] of [["demo", "hello"], ["mocked", "Hi there, how are you today?"]]) {
      const body = { model: model!, input: "hello" };
      expect((await client().responses.create(body)).output_text).toBe(text);
      const events: OpenAI.Responses.ResponseStreamEvent[] = [];
      for await (const event of await client().responses.create({ ...body, stream: true })) {
        events.push(event);
      }
      expect(events.map((event) => event.type === "response.output_text.delta" ? event.delta : ""))
        .toSatisfy((deltas: string[]) => deltas.join("") === text);
      expect(events.at(-1)!.type).toBe("response.completed");
    }
  });

  test(`${base} base: Responses fail with typed errors, in mid-stream as well`, async () => {
    const ask = (model: string, openai = client()) =>
      openai.responses.create({ model, input: "one two three four five six" });
    const wrong = new OpenAI({ apiKey: "nobody", baseURL: client().baseURL, maxRetries: 0 });
    await expect(ask("demo", wrong)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(ask("nothing")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(ask("echo-status-429")).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    const received: string[] = [];
    await expect(
      client().responses.stream({ model: "echo-fail-after-2", input: "one two three four" })
        .on("response.output_text.delta", ({ delta }) => void received.push(delta))
        .finalResponse(),
    ).rejects.toBeInstanceOf(OpenAI.APIError);
    expect(received.join("")).toMatch(/^one/);
  });

  test(`${base} base: embeddings and the models list`, async () => {
    const { data } = await client().embeddings.create({ model: "demo", input: ["a", "b"] });
    expect(data.map(({ embedding }) => embedding.length)).toEqual([16, 16]);
    const ids: string[] = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain("demo");
    expect((await client().models.retrieve("demo")).id).toBe("demo");
  });

  test(`${base} base: structured output is valid JSON of the schema`, async () => {
    const completion = await client().chat.completions.parse({
      model: "echo-json",
      messages: [user("anything")],
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "city",
          schema: {
            type: "object",
            properties: { name: { type: "string" }, size: { type: "integer" } },
            required: ["name", "size"],
          },
        },
      },
    });
    expect(JSON.parse(completion.choices[0]!.message.content!)).toMatchObject({
      size: expect.any(Number),
    });
  });
}
