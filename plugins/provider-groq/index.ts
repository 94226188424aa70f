import { definePlugin } from "@vmx/core/contract";
import { createGroqProvider } from "./provider.ts";

export default definePlugin({
  activate(context) {
    context.provide("providers", "groq", createGroqProvider(context));
  },
});
