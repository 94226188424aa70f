import { definePlugin } from "@vmx/core/contract";
import { openaiChat } from "./dialect.ts";

/** Provides the dialect `openai-chat`. */
export default definePlugin({
  activate(context) {
    context.provide("dialects", openaiChat.id, openaiChat);
  },
});
