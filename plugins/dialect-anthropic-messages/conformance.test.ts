import { dialectCases, runCases } from "@vmx/core/conformance";
import { anthropicMessages } from "./dialect.ts";
import { answers, requests, streams } from "./examples.ts";

await runCases(
  "dialect anthropic-messages",
  dialectCases({
    create: () => anthropicMessages,
    family: "anthropic",
    requests,
    answers,
    streams,
  }),
);
