import { definePlugin } from "@vmx/core/contract";
import { createCompatibleProvider } from "./provider.ts";

export default definePlugin({
  activate(context) {
    context.provide("providers", "openai-compatible", createCompatibleProvider(context));
  },
});
