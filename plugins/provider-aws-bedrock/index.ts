import { definePlugin } from "@vmx/core/contract";

/** Provides the provider `aws-bedrock`. Nothing of AWS is loaded before a connection needs it. */
export default definePlugin({
  async activate(context) {
    const { createBedrockProvider } = await import("./provider.ts");
    const ambient = context.config["ambientCredentials"] === "allow";
    context.provide("providers", "aws-bedrock", createBedrockProvider(context, { ambient }));
  },
});
