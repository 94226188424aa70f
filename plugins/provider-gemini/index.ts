import { definePlugin } from "@vmx/core/contract";
import { createGeminiProvider } from "./provider.ts";

export default definePlugin({
  activate(context) {
    context.provide("providers", "gemini", createGeminiProvider(context));
  },
});
