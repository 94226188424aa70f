import type { ReasoningSettings } from "@vmx/core/contract";

/** An effort the canonical call knows. */
export type Effort = NonNullable<ReasoningSettings["effort"]>;

/** Budget tokens each effort stands for, largest first (providers-and-dialects.md §3.1). */
const budgets: readonly (readonly [Effort, number])[] = [
  ["xhigh", 32_768],
  ["high", 12_288],
  ["medium", 4_096],
  ["low", 1_024],
  ["minimal", 512],
  ["none", 0],
];

/** Whether a text is an effort the canonical call knows. */
export function isEffort(text: string | undefined): text is Effort {
  return budgets.some(([effort]) => effort === text);
}

/** The effort of reasoning settings; a budget becomes the nearest effort that is not above it. */
export function effortOf({ effort, budgetTokens }: ReasoningSettings): Effort | undefined {
  if (effort !== undefined || budgetTokens === undefined) return effort;
  return budgets.find(([, budget]) => budget <= budgetTokens)?.[0];
}

/** The budget of reasoning settings in tokens. */
export function budgetOf({ effort, budgetTokens }: ReasoningSettings): number | undefined {
  if (budgetTokens !== undefined) return budgetTokens;
  return budgets.find(([each]) => each === effort)?.[1];
}
