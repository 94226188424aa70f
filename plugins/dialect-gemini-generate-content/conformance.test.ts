import { dialectCases, runCases } from "@vmx/core/conformance";
import { geminiGenerateContent } from "./dialect.ts";
import { answers, requests, streams } from "./examples.ts";

await runCases(
  "dialect gemini-generate-content",
  dialectCases({ create: () => geminiGenerateContent, requests, answers, streams }),
);
