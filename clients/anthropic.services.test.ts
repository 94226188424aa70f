import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { expect } from "vitest";
import { z } from "zod";
import { clientSuite } from "./suite.ts";

const form = z.object({ echo: z.string() });

clientSuite({
  name: "@anthropic-ai/sdk",
  dialect: "anthropic-messages",
  errors: {
    unauthorized: (error) => expect(error).toBeInstanceOf(Anthropic.AuthenticationError),
    notFound: (error) => expect(error).toBeInstanceOf(Anthropic.NotFoundError),
    limited: (error) => expect(error).toBeInstanceOf(Anthropic.RateLimitError),
    broken: (error) => expect(error).toBeInstanceOf(Anthropic.APIError),
  },
  connect(url, apiKey) {
    const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
    const max_tokens = 1_000;
    const user = (content: string): Anthropic.MessageParam => ({ role: "user", content });
    const textOf = ({ content }: Anthropic.Message) =>
      content.map((block) => block.type === "text" ? block.text : "").join("");
    return {
      text: async ({ model, prompt }) =>
        textOf(await client.messages.create({ model, max_tokens, messages: [user(prompt)] })),
      async stream({ model, prompt }, onText) {
        const messages = [user(prompt)];
        const stream = await client.messages.create({ model, max_tokens, messages, stream: true });
        for await (const event of stream) {
          if (event.type !== "content_block_delta" || event.delta.type !== "text_delta") continue;
          onText(event.delta.text);
        }
      },
      async tool({ model, prompt }, stream, answer) {
        const tools: Anthropic.Tool[] = [{
          name: "repeat",
          input_schema: {
            type: "object",
            properties: { echo: { type: "string" } },
            required: ["echo"],
          },
        }];
        const ask = (messages: Anthropic.MessageParam[]) => {
          const body = { model, max_tokens, messages, tools };
          return stream
            ? client.messages.stream(body).finalMessage()
            : client.messages.create(body);
        };
        const { content, stop_reason } = await ask([user(prompt)]);
        expect(stop_reason).toBe("tool_use");
        const results = content.flatMap((block) =>
          block.type !== "tool_use" ? [] : {
            type: "tool_result" as const,
            tool_use_id: block.id,
            content: answer((block.input as { echo: string }).echo),
          }
        );
        return textOf(
          await ask([user(prompt), { role: "assistant", content }, {
            role: "user",
            content: results,
          }]),
        );
      },
      async structured({ model, prompt }) {
        const message = await client.messages.parse({
          model,
          max_tokens,
          messages: [user(prompt)],
          output_config: { format: zodOutputFormat(form) },
        });
        return message.parsed_output;
      },
    };
  },
});
