import { definePlugin } from "@vmx/core/contract";
import { createOpenAIProvider } from "./provider.ts";

export default definePlugin({
  activate(context) {
    context.provide("providers", "openai", createOpenAIProvider(context));
  },
});
