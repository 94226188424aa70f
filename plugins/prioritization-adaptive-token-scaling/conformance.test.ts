import { prioritizationCases, runCases } from "@vmx/core/conformance";
import { recompute } from "./recompute.ts";

await runCases(
  "prioritization adaptive-token-scaling",
  prioritizationCases({ create: () => ({ recompute }) }),
);
