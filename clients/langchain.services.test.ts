import { ChatAnthropic } from "@langchain/anthropic";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { type AIMessageChunk, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import OpenAI from "openai";
import { expect } from "vitest";
import { z } from "zod";
import { type Client, clientSuite, type TypedErrors } from "./suite.ts";

const form = z.object({ echo: z.string() });

type ToolModel = BaseChatModel & {
  bindTools: NonNullable<BaseChatModel["bindTools"]>;
};

function clientOf(modelOf: (name: string) => ToolModel): Client {
  return {
    text: async ({ model, prompt }) => (await modelOf(model).invoke(prompt)).text,
    async stream({ model, prompt }, onText) {
      for await (const chunk of await modelOf(model).stream(prompt)) onText(chunk.text);
    },
    async tool({ model, prompt }, stream, answer) {
      const repeat = tool(({ echo }: { echo: string }) => answer(echo), {
        name: "repeat",
        description: "Repeats a text",
        schema: form,
      });
      const bound = modelOf(model).bindTools([repeat]);
      const ask = async (messages: BaseMessage[]): Promise<AIMessageChunk> => {
        if (!stream) return await bound.invoke(messages);
        let whole: AIMessageChunk | undefined;
        for await (const chunk of await bound.stream(messages)) {
          whole = whole?.concat(chunk) ?? chunk;
        }
        return whole!;
      };
      const question = new HumanMessage(prompt);
      const message = await ask([question]);
      const results = await Promise.all(
        message.tool_calls!.map((call) => repeat.invoke({ ...call, type: "tool_call" })),
      );
      return (await ask([question, message, ...results])).text;
    },
    structured: ({ model, prompt }) =>
      modelOf(model).withStructuredOutput(form, { name: "form" }).invoke(prompt),
  };
}

const openaiErrors: TypedErrors = {
  unauthorized: (error) => expect(error).toBeInstanceOf(OpenAI.AuthenticationError),
  notFound: (error) => expect(error).toBeInstanceOf(OpenAI.NotFoundError),
  limited: (error) => expect(error).toBeInstanceOf(OpenAI.RateLimitError),
  broken: (error) => expect(error).toBeInstanceOf(OpenAI.APIError),
};

for (const useResponsesApi of [false, true]) {
  clientSuite({
    name: `@langchain/openai, ${useResponsesApi ? "Responses" : "Chat Completions"}`,
    dialect: useResponsesApi ? "openai-responses" : "openai-chat",
    errors: openaiErrors,
    connect: (url, apiKey) =>
      clientOf((model) =>
        new ChatOpenAI({
          model,
          apiKey,
          useResponsesApi,
          maxRetries: 0,
          configuration: { baseURL: `${url}/v1` },
        })
      ),
  });
}

/** The library brings a copy of the SDK of its own, whose classes cannot be imported from here: by name, then. */
function isA(name: string): (error: unknown) => void {
  return (error) => {
    const names: string[] = [];
    for (let one = Object.getPrototypeOf(error); one !== null; one = Object.getPrototypeOf(one)) {
      names.push(one.constructor.name);
    }
    expect(names).toContain(name);
  };
}

clientSuite({
  name: "@langchain/anthropic",
  dialect: "anthropic-messages",
  structuredByTool: true,
  errors: {
    unauthorized: isA("AuthenticationError"),
    notFound: isA("NotFoundError"),
    limited: isA("RateLimitError"),
    broken: isA("APIError"),
  },
  connect: (url, apiKey) =>
    clientOf((model) =>
      new ChatAnthropic({ model, apiKey, maxRetries: 0, anthropicApiUrl: url, maxTokens: 1_000 })
    ),
});
