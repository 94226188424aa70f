import { dialectCases, runCases } from "@vmx/core/conformance";
import { openaiResponses } from "./dialect.ts";
import { answers, requests, streams } from "./examples.ts";

await runCases(
  "dialect openai-responses",
  dialectCases({ create: () => openaiResponses, requests, answers, streams }),
);
