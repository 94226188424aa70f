import { providerCases, runCases } from "@vmx/core/conformance";
import { Secret } from "@vmx/core/kit";
import { createGroqProvider } from "./provider.ts";

await runCases(
  "provider groq",
  providerCases({
    create: createGroqProvider,
    config: (baseUrl, credential) => ({ baseUrl, apiKey: new Secret(credential) }),
    model: "openai/gpt-oss-20b",
    dialect: "openai-chat",
    basePath: "/openai/v1",
    path: "/chat/completions",
    body: { model: "openai/gpt-oss-20b", messages: [{ role: "user", content: "hello" }] },
  }),
);
