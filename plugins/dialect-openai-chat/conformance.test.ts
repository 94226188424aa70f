import { dialectCases, runCases } from "@vmx/core/conformance";
import { openaiChat } from "./dialect.ts";
import { answers, requests, streams } from "./examples.ts";

await runCases(
  "dialect openai-chat",
  dialectCases({ create: () => openaiChat, requests, answers, streams }),
);
