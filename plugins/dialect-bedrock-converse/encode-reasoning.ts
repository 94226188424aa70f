import type { Call, JsonObject, Warning } from "@vmx/core/contract";
import { dropped, type EncodeContext } from "./encode-context.ts";
import { budgetOf, effortOf } from "./reasoning.ts";

/** The smallest budget thinking takes, and the output limit assumed where the caller set none. */
const minBudgetTokens = 1024;

/** Reasoning settings as members of `additionalModelRequestFields`, and what they mean for other settings. */
export interface EncodedReasoning {
  readonly fields: JsonObject;
  readonly maxOutputTokens: number | undefined;
  /** True when sampling is fixed while the model reasons. */
  readonly plainSampling: boolean;
}

/** Writes how much the model may reason, in its own spelling. */
export function encodeReasoningFields(
  call: Call,
  forcedTool: boolean,
  context: EncodeContext,
): EncodedReasoning {
  const { profile, warnings } = context;
  const { reasoning, maxOutputTokens } = call;
  const off: EncodedReasoning = { fields: {}, maxOutputTokens, plainSampling: false };
  const effort = reasoning && effortOf(reasoning);
  if (!reasoning || effort === undefined) return off;
  const drop = (why: string): EncodedReasoning => {
    warnings.push(dropped("/reasoning_effort", why));
    return off;
  };
  switch (profile.reasoning) {
    case "none":
      return effort === "none" ? off : drop("The model cannot be asked to reason");
    case "reasoning_effort":
      return { ...off, fields: { reasoning_effort: nearest(effort, warnings) } };
    case "maxReasoningEffort":
      if (effort === "none") return off;
      return {
        ...off,
        fields: {
          reasoningConfig: { type: "enabled", maxReasoningEffort: nearest(effort, warnings) },
        },
      };
  }
  if (effort === "none") return off;
  if (forcedTool) return drop("The model does not reason when it must call a tool");
  if (continuesUnsigned(call, context)) {
    return drop("The tool calls in progress come without their signed reasoning");
  }
  const fixed = dropSampling(call, context);
  if (profile.reasoning === "adaptive") {
    return {
      fields: {
        thinking: { type: "adaptive" },
        output_config: { effort: nearest(effort, warnings) },
      },
      maxOutputTokens,
      plainSampling: fixed,
    };
  }
  const budget = Math.max(budgetOf(reasoning) ?? minBudgetTokens, minBudgetTokens);
  return {
    fields: { thinking: { type: "enabled", budget_tokens: budget } },
    maxOutputTokens: raise(maxOutputTokens, budget, warnings),
    plainSampling: fixed,
  };
}

/** The budget counts against the output limit and must lie below it. */
function raise(
  maxOutputTokens: number | undefined,
  budget: number,
  warnings: Warning[],
): number | undefined {
  if (maxOutputTokens === undefined || maxOutputTokens > budget) return maxOutputTokens;
  warnings.push({
    code: "max_tokens_raised",
    path: "/max_tokens",
    action: "approximated",
    detail: `${maxOutputTokens} leaves no room beside ${budget} tokens of reasoning`,
  });
  return maxOutputTokens + budget;
}

/** Efforts models know are `low`, `medium` and `high`. */
function nearest(effort: string, warnings: Warning[]): string {
  const word = effort === "xhigh"
    ? "high"
    : effort === "minimal" || effort === "none"
    ? "low"
    : effort;
  if (word !== effort) {
    warnings.push({
      code: "reasoning_effort_approximated",
      path: "/reasoning_effort",
      action: "approximated",
      detail: `"${effort}" is asked for as "${word}"`,
    });
  }
  return word;
}

/** A model that reasons must be given back the reasoning before the calls whose results it is to read. */
function continuesUnsigned(call: Call, { family }: EncodeContext): boolean {
  const { turns } = call;
  const last = turns.at(-1);
  const results = last?.parts.some((part) => part.type === "tool-result");
  if (!results) return false;
  const asking = turns.findLast((turn) => turn.role === "assistant");
  const signed = asking?.parts.some((part) =>
    part.type === "reasoning" && part.family === family &&
    (part.signature !== undefined || part.encrypted !== undefined)
  );
  return asking !== undefined && !signed;
}

function dropSampling({ sampling }: Call, { warnings }: EncodeContext): boolean {
  const why = "Sampling is fixed while the model reasons";
  if (sampling.temperature !== undefined && sampling.temperature !== 1) {
    warnings.push(dropped("/temperature", why));
  }
  if (sampling.topP !== undefined && sampling.topP !== 1) warnings.push(dropped("/top_p", why));
  if (sampling.topK !== undefined) warnings.push(dropped("/top_k", why));
  return true;
}
