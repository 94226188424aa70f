import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { expect } from "vitest";
import { z } from "zod";
import { clientSuite } from "./suite.ts";

setTracingDisabled(true);

for (const useResponses of [true, false]) {
  clientSuite({
    name: `@openai/agents, ${useResponses ? "Responses" : "Chat Completions"}`,
    dialect: useResponses ? "openai-responses" : "openai-chat",
    errors: {
      unauthorized: (error) => expect(error).toBeInstanceOf(OpenAI.AuthenticationError),
      notFound: (error) => expect(error).toBeInstanceOf(OpenAI.NotFoundError),
      limited: (error) => expect(error).toBeInstanceOf(OpenAI.RateLimitError),
      broken: (error) => expect(error).toBeInstanceOf(OpenAI.APIError),
    },
    connect(url, apiKey) {
      const openAIClient = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
      const runner = new Runner({
        modelProvider: new OpenAIProvider({ openAIClient, useResponses }),
        tracingDisabled: true,
      });
      const form = z.object({ echo: z.string() });
      return {
        async text({ model, prompt }) {
          const agent = new Agent({ name: "Echo", model });
          return (await runner.run(agent, prompt)).finalOutput!;
        },
        async stream({ model, prompt }, onText) {
          const agent = new Agent({ name: "Echo", model });
          const run = await runner.run(agent, prompt, { stream: true });
          for await (const event of run) {
            if (event.type !== "raw_model_stream_event") continue;
            if (event.data.type === "output_text_delta") onText(event.data.delta);
          }
          await run.completed;
        },
        async tool({ model, prompt }, stream, answer) {
          const repeat = tool({
            name: "repeat",
            description: "Repeats a text",
            parameters: form,
            execute: ({ echo }) => answer(echo),
          });
          const agent = new Agent({ name: "Echo", model, tools: [repeat] });
          if (!stream) return (await runner.run(agent, prompt)).finalOutput!;
          const run = await runner.run(agent, prompt, { stream: true });
          await run.completed;
          return run.finalOutput!;
        },
        async structured({ model, prompt }) {
          const agent = new Agent({ name: "Echo", model, outputType: form });
          return (await runner.run(agent, prompt)).finalOutput;
        },
      };
    },
  });
}
