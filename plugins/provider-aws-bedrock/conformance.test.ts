import { providerCases, runCases } from "@vmx/core/conformance";
import { Secret } from "@vmx/core/kit";
import { createBedrockProvider } from "./provider.ts";

await runCases(
  "provider aws-bedrock",
  providerCases({
    create: (context) => createBedrockProvider(context, { ambient: false }),
    config: (baseUrl, credential) => ({
      baseUrl,
      region: "us-east-1",
      accessKeyId: new Secret(credential),
      secretAccessKey: new Secret("a-secret-canary"),
    }),
    model: "amazon.nova-lite-v1:0",
    dialect: "bedrock-converse",
    path: "/model/amazon.nova-lite-v1%3A0/converse",
    body: { messages: [{ role: "user", content: [{ text: "hello" }] }] },
    limitHeaders: ["retry-after"],
    noModelsList: "its list has a form of its own, tested beside",
  }),
);
