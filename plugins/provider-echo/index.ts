import { definePlugin } from "@vmx/core/contract";
import { anthropicMessages } from "@vmx/dialect-anthropic-messages/dialect";
import { openaiChat } from "@vmx/dialect-openai-chat/dialect";
import { openaiResponses } from "@vmx/dialect-openai-responses/dialect";
import { createEchoProvider } from "./provider.ts";
import { sleep } from "./sleep.ts";

export default definePlugin({
  activate(context) {
    const { clock } = context;
    const provider = createEchoProvider({
      clock,
      sleep,
      dialects: [openaiChat, openaiResponses, anthropicMessages],
    });
    context.provide("providers", "echo", provider);
  },
});
