import { providerCases, runCases } from "@vmx/core/conformance";
import { Secret } from "@vmx/core/kit";
import { createCompatibleProvider } from "./provider.ts";

await runCases(
  "provider openai-compatible",
  providerCases({
    create: createCompatibleProvider,
    config: (baseUrl, credential) => ({ baseUrl, apiKey: new Secret(credential) }),
    model: "llama-4",
    dialect: "openai-chat",
    path: "/chat/completions",
    body: { model: "llama-4", messages: [{ role: "user", content: "hello" }] },
  }),
);

await runCases(
  "provider openai-compatible with a key in a header",
  providerCases({
    create: createCompatibleProvider,
    config: (baseUrl, credential) => ({ baseUrl, headers: { "api-key": new Secret(credential) } }),
    model: "deployment",
    dialect: "openai-chat",
    path: "/chat/completions",
    body: { model: "deployment", messages: [] },
  }),
);
