import { definePlugin } from "@vmx/core/contract";
import { createAnthropicProvider } from "./provider.ts";

export default definePlugin({
  activate(context) {
    context.provide("providers", "anthropic", createAnthropicProvider(context));
  },
});
