import { definePlugin } from "@vmx/core/contract";
import { anthropicMessages } from "./dialect.ts";

/** Provides the dialect `anthropic-messages`. */
export default definePlugin({
  activate(context) {
    context.provide("dialects", anthropicMessages.id, anthropicMessages);
  },
});
