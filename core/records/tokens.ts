import type { AuditTokens } from "@vmx/schemas";
import type { Tokens } from "../contract/part.ts";

/** Tokens as records carry them, and whether the classes failed to add up to the provider's own totals. */
export interface RecordedTokens {
  readonly tokens: AuditTokens;
  readonly inconsistent: boolean;
}

/** Adds the derived totals; where the provider's own differ, the provider's stay. */
export function recordTokens(given: Tokens): RecordedTokens {
  const prompt = sum(
    given.inputUncached,
    given.inputCacheRead,
    given.inputCacheWrite5m,
    given.inputCacheWrite1h,
    given.audioInput,
  );
  const completion = sum(given.output, given.reasoning, given.audioOutput);
  const promptTokens = given.promptTotal ?? prompt;
  const completionTokens = given.completionTotal ?? completion;
  return {
    tokens: {
      inputUncached: given.inputUncached,
      inputCacheRead: given.inputCacheRead,
      inputCacheWrite5m: given.inputCacheWrite5m,
      inputCacheWrite1h: given.inputCacheWrite1h,
      output: given.output,
      reasoning: given.reasoning,
      audioInput: given.audioInput,
      audioOutput: given.audioOutput,
      acceptedPredictionTokens: given.acceptedPrediction ?? null,
      rejectedPredictionTokens: given.rejectedPrediction ?? null,
      webSearchRequests: given.webSearchRequests ?? null,
      codeExecutionRequests: given.codeExecutionRequests ?? null,
      promptTokens,
      completionTokens,
      totalTokens: sum(promptTokens, completionTokens),
    },
    inconsistent: differ(prompt, given.promptTotal) || differ(completion, given.completionTotal),
  };
}

/** Adds what is known; null when nothing is. */
function sum(...counts: readonly (number | null)[]): number | null {
  let total: number | null = null;
  for (const count of counts) if (count !== null) total = (total ?? 0) + count;
  return total;
}

function differ(derived: number | null, reported: number | null | undefined): boolean {
  return derived !== null && reported !== null && reported !== undefined && derived !== reported;
}
