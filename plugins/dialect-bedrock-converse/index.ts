import { definePlugin } from "@vmx/core/contract";
import { bedrockConverse } from "./dialect.ts";

/** Provides the dialect `bedrock-converse`. */
export default definePlugin({
  activate(context) {
    context.provide("dialects", bedrockConverse.id, bedrockConverse);
  },
});
