import { dialectCases, runCases } from "@vmx/core/conformance";
import { bedrockConverse } from "./dialect.ts";
import { answers, requests, streams } from "./examples.ts";

await runCases(
  "dialect bedrock-converse",
  dialectCases({ create: () => bedrockConverse, requests, answers, streams }),
);
