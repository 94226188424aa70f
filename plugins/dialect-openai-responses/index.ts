import { definePlugin } from "@vmx/core/contract";
import { openaiResponses } from "./dialect.ts";

/** Provides the dialect `openai-responses`. */
export default definePlugin({
  activate(context) {
    context.provide("dialects", openaiResponses.id, openaiResponses);
  },
});
