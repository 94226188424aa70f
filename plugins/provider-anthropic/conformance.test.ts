import { providerCases, runCases } from "@vmx/core/conformance";
import { Secret } from "@vmx/core/kit";
import { createAnthropicProvider } from "./provider.ts";
import { axes } from "./rate-limits.ts";

await runCases(
  "provider anthropic",
  providerCases({
    create: createAnthropicProvider,
    config: (baseUrl, credential) => ({ baseUrl, apiKey: new Secret(credential) }),
    model: "claude-haiku-4-5",
    dialect: "anthropic-messages",
    basePath: "/v1",
    path: "/messages",
    body: {
      model: "claude-haiku-4-5",
      max_tokens: 10,
      messages: [{ role: "user", content: "hello" }],
    },
    limitHeaders: ["limit", "remaining", "reset"].flatMap((what) =>
      axes.map((axis) => `anthropic-ratelimit-${axis}-${what}`)
    ),
  }),
);
