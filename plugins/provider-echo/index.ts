import { definePlugin } from "@vmx/core/contract";
import { openaiChat } from "@vmx/dialect-openai-chat/dialect";
import { createEchoProvider } from "./provider.ts";
import { sleep } from "./sleep.ts";

export default definePlugin({
  activate(context) {
    const { clock } = context;
    const provider = createEchoProvider({ clock, sleep, dialects: [openaiChat] });
    context.provide("providers", "echo", provider);
  },
});
