import { definePlugin } from "@vmx/core/contract";
import { geminiGenerateContent } from "./dialect.ts";

/** Provides the dialect `gemini-generate-content`. */
export default definePlugin({
  activate(context) {
    context.provide("dialects", geminiGenerateContent.id, geminiGenerateContent);
  },
});
