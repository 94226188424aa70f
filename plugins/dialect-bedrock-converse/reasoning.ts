import type { JsonObject, ReasoningSettings } from "@vmx/core/contract";
import { numberOf, objectOf, textOf } from "./read-json.ts";

type Effort = NonNullable<ReasoningSettings["effort"]>;

/** Budget tokens each effort stands for, largest first (providers-and-dialects.md §3.1). */
const budgets: readonly (readonly [Effort, number])[] = [
  ["xhigh", 32_768],
  ["high", 12_288],
  ["medium", 4_096],
  ["low", 1_024],
  ["minimal", 512],
  ["none", 0],
];

const words: Readonly<Record<string, Effort>> = {
  ...Object.fromEntries(budgets.map(([effort]) => [effort, effort])),
  max: "xhigh",
};

/** The effort of reasoning settings; a budget becomes the nearest effort that is not above it. */
export function effortOf({ effort, budgetTokens }: ReasoningSettings): Effort | undefined {
  if (effort !== undefined || budgetTokens === undefined) return effort;
  return budgets.find(([, budget]) => budget <= budgetTokens)?.[0];
}

/** The budget of reasoning settings, in tokens; undefined when they name neither budget nor effort. */
export function budgetOf({ effort, budgetTokens }: ReasoningSettings): number | undefined {
  if (budgetTokens !== undefined) return budgetTokens;
  return budgets.find(([each]) => each === effort)?.[1];
}

/** Members of `additionalModelRequestFields` that are reasoning settings of one model family or another. */
export const reasoningMembers = [
  "thinking",
  "output_config",
  "reasoningConfig",
  "reasoning_config",
  "reasoning_effort",
] as const;

/** Reads reasoning settings in the spellings the service's models have; undefined when there are none. */
export function readReasoning(
  fields: JsonObject,
  outputConfig: JsonObject | undefined,
): ReasoningSettings | undefined {
  const thinking = objectOf(fields["thinking"]) ?? objectOf(fields["reasoning_config"]);
  if (thinking?.["type"] === "disabled") return { effort: "none" };
  const own = objectOf(fields["reasoningConfig"]);
  if (own?.["type"] === "disabled") return { effort: "none" };
  const word = textOf(outputConfig?.["effort"]) ??
    textOf(objectOf(fields["output_config"])?.["effort"]) ??
    textOf(own?.["maxReasoningEffort"]) ?? textOf(fields["reasoning_effort"]);
  const effort = word === undefined ? undefined : words[word];
  const budgetTokens = numberOf(thinking?.["budget_tokens"]);
  if (!thinking && !own && effort === undefined) return undefined;
  return {
    ...(effort === undefined ? {} : { effort }),
    ...(budgetTokens === undefined ? {} : { budgetTokens }),
  };
}
