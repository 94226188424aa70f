import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { expect } from "vitest";
import { z } from "zod";
import { clientSuite, type TypedErrors } from "./suite.ts";

const parameters = {
  type: "object",
  properties: { echo: { type: "string" } },
  required: ["echo"],
  additionalProperties: false,
};
const form = z.object({ echo: z.string() });

const open = (url: string, apiKey: string) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

const errors: TypedErrors = {
  unauthorized: (error) => expect(error).toBeInstanceOf(OpenAI.AuthenticationError),
  notFound: (error) => expect(error).toBeInstanceOf(OpenAI.NotFoundError),
  limited: (error) => expect(error).toBeInstanceOf(OpenAI.RateLimitError),
  broken: (error) => expect(error).toBeInstanceOf(OpenAI.APIError),
};

clientSuite({
  name: "openai, Chat Completions",
  dialect: "openai-chat",
  errors,
  connect(url, apiKey) {
    const client = open(url, apiKey);
    const user = (content: string) => ({ role: "user", content }) as const;
    return {
      async text({ model, prompt }) {
        const messages = [user(prompt)];
        const { choices } = await client.chat.completions.create({ model, messages });
        return choices[0]!.message.content!;
      },
      async stream({ model, prompt }, onText) {
        const messages = [user(prompt)];
        const stream = await client.chat.completions.create({ model, messages, stream: true });
        for await (const { choices } of stream) onText(choices[0]?.delta.content ?? "");
      },
      async tool({ model, prompt }, stream, answer) {
        const body = {
          model,
          messages: [user(prompt)] as OpenAI.Chat.ChatCompletionMessageParam[],
          tools: [{ type: "function", function: { name: "repeat", parameters } }] as const,
        };
        const ask = async (messages = body.messages) => {
          const request = { ...body, tools: [...body.tools], messages };
          const completion = stream
            ? await client.chat.completions.stream(request).finalChatCompletion()
            : await client.chat.completions.create(request);
          return completion.choices[0]!.message;
        };
        const message = await ask();
        const results = message.tool_calls!.map((call) => {
          if (call.type !== "function") throw new Error("expected a function call");
          const { echo } = JSON.parse(call.function.arguments);
          return { role: "tool", tool_call_id: call.id, content: answer(echo) } as const;
        });
        return (await ask([...body.messages, message, ...results])).content!;
      },
      async structured({ model, prompt }) {
        const completion = await client.chat.completions.parse({
          model,
          messages: [user(prompt)],
          response_format: zodResponseFormat(form, "form"),
        });
        return completion.choices[0]!.message.parsed;
      },
    };
  },
});

clientSuite({
  name: "openai, Responses",
  dialect: "openai-responses",
  errors,
  connect(url, apiKey) {
    const client = open(url, apiKey);
    return {
      text: async ({ model, prompt: input }) =>
        (await client.responses.create({ model, input })).output_text,
      async stream({ model, prompt: input }, onText) {
        const stream = await client.responses.create({ model, input, stream: true });
        for await (const event of stream) {
          if (event.type === "response.output_text.delta") onText(event.delta);
        }
      },
      async tool({ model, prompt }, stream, answer) {
        const tools = [
          { type: "function" as const, name: "repeat", parameters, strict: true },
        ];
        const ask = (input: OpenAI.Responses.ResponseInput) => {
          const body = { model, input, tools };
          return stream
            ? client.responses.stream(body).finalResponse()
            : client.responses.create(body);
        };
        const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: prompt }];
        const { output } = await ask(input);
        for (const item of output) {
          if (item.type !== "function_call") throw new Error(`expected no ${item.type}`);
          const { echo } = JSON.parse(item.arguments);
          const result = { type: "function_call_output", call_id: item.call_id } as const;
          const { type, call_id, name } = item;
          input.push({ type, call_id, name, arguments: item.arguments });
          input.push({ ...result, output: answer(echo) });
        }
        return (await ask(input)).output_text;
      },
      async structured({ model, prompt: input }) {
        const text = { format: zodTextFormat(form, "form") };
        return (await client.responses.parse({ model, input, text })).output_parsed;
      },
    };
  },
});
