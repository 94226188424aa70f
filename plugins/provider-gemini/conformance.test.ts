import { providerCases, runCases } from "@vmx/core/conformance";
import { Secret } from "@vmx/core/kit";
import { createGeminiProvider } from "./provider.ts";

await runCases(
  "provider gemini",
  providerCases({
    create: createGeminiProvider,
    config: (baseUrl, credential) => ({ baseUrl, apiKey: new Secret(credential) }),
    model: "gemini-2.5-flash",
    dialect: "gemini-generate-content",
    path: "/models/gemini-2.5-flash:generateContent",
    basePath: "/v1",
    modelsList: { models: [{ name: "models/model-a" }, { name: "models/model-b" }] },
    body: { contents: [{ role: "user", parts: [{ text: "hello" }] }] },
  }),
);
