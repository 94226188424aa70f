import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import {
  APICallError,
  generateText,
  type LanguageModel,
  Output,
  stepCountIs,
  StreamProviderError,
  streamText,
  tool,
} from "ai";
import { expect } from "vitest";
import { z } from "zod";
import { type Client, clientSuite, type TypedErrors } from "./suite.ts";
import type { Ask } from "./world.ts";

// It warns of models it does not know: ours are names of resources.
globalThis.AI_SDK_LOG_WARNINGS = false;

const status = (statusCode: number) => (error: unknown) => {
  expect(APICallError.isInstance(error), String(error)).toBe(true);
  expect(error).toMatchObject({ statusCode });
};

const errors: TypedErrors = {
  unauthorized: status(401),
  notFound: status(404),
  limited: status(429),
  broken: (error) => expect(StreamProviderError.isInstance(error), String(error)).toBe(true),
};

function clientOf(modelOf: (name: string) => LanguageModel): Client {
  const settings = ({ model, prompt }: Ask) => ({
    model: modelOf(model),
    prompt,
    maxRetries: 0,
    telemetry: { isEnabled: false },
  });
  return {
    text: async (ask) => (await generateText(settings(ask))).text,
    async stream(ask, onText) {
      const { stream } = streamText({ ...settings(ask), onError: () => {} });
      for await (const part of stream) {
        if (part.type === "error") throw part.error;
        if (part.type === "text-delta") onText(part.text);
      }
    },
    async tool(ask, stream, answer) {
      const options = {
        ...settings(ask),
        stopWhen: stepCountIs(3),
        tools: {
          repeat: tool({
            inputSchema: z.object({ echo: z.string() }),
            execute: ({ echo }) => Promise.resolve(answer(echo)),
          }),
        },
      };
      return stream ? await streamText(options).text : (await generateText(options)).text;
    },
    async structured(ask) {
      const output = Output.object({ schema: z.object({ echo: z.string() }) });
      return (await generateText({ ...settings(ask), output })).output;
    },
  };
}

clientSuite({
  name: "ai and @ai-sdk/openai, whose default is Responses",
  dialect: "openai-responses",
  errors,
  connect(url, apiKey) {
    const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey });
    return clientOf((name) => openai(name));
  },
});

clientSuite({
  name: "ai and @ai-sdk/openai, Chat Completions",
  dialect: "openai-chat",
  errors,
  connect(url, apiKey) {
    const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey });
    return clientOf((name) => openai.chat(name));
  },
});

clientSuite({
  name: "ai and @ai-sdk/anthropic",
  dialect: "anthropic-messages",
  errors,
  connect(url, apiKey) {
    const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey });
    return clientOf((name) => anthropic(name));
  },
});
