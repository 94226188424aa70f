import { providerCases, runCases } from "@vmx/core/conformance";
import { Secret } from "@vmx/core/kit";
import { createOpenAIProvider } from "./provider.ts";

await runCases(
  "provider openai",
  providerCases({
    create: createOpenAIProvider,
    config: (baseUrl, credential) => ({ baseUrl, apiKey: new Secret(credential) }),
    model: "gpt-4.1",
    dialect: "openai-chat",
    path: "/chat/completions",
    body: { model: "gpt-4.1", messages: [{ role: "user", content: "hello" }] },
  }),
);
