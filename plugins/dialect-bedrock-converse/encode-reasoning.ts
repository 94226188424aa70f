import type { Call, JsonObject, Warning } from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import { dropped, type EncodeContext } from "./encode-context.ts";
import { dropSampling } from "./encode-sampling.ts";
import { budgetOf, effortOf } from "./reasoning.ts";

/** The smallest budget thinking takes. */
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
  const { profile } = context;
  const { reasoning, maxOutputTokens } = call;
  const off: EncodedReasoning = { fields: {}, maxOutputTokens, plainSampling: false };
  if (!reasoning) {
    // Some models think unless told not to, which a forced call excludes.
    const told = forcedTool && profile.thinkingOff === "disabled";
    return told ? { ...off, fields: { thinking: { type: "disabled" } } } : off;
  }
  const effort = readEffort(reasoning);
  switch (profile.reasoning) {
    case "budget":
    case "adaptive":
      return encodeThinking(call, effort, forcedTool, context);
    case "none":
      if (effort !== "none" && effort !== undefined) {
        context.warnings.push(
          dropped(settingPath(call, "reasoning"), "The model cannot be asked to reason"),
        );
      }
      return off;
    case "reasoning_effort":
      return effort === undefined
        ? off
        : { ...off, fields: { reasoning_effort: nearest(effort, call, context) } };
    case "maxReasoningEffort":
      return effort === undefined || effort === "none" ? off : {
        ...off,
        fields: {
          reasoningConfig: { type: "enabled", maxReasoningEffort: nearest(effort, call, context) },
        },
      };
  }
}

/** Thinking of the kind that is signed, with a budget or as much as the model sees fit. */
function encodeThinking(
  call: Call,
  effort: string | undefined,
  forcedTool: boolean,
  context: EncodeContext,
): EncodedReasoning {
  const { profile, warnings } = context;
  const { thinkingOff } = profile;
  const least = thinkingOff === undefined || thinkingOff === "none"
    ? {}
    : { thinking: { type: thinkingOff } };
  const off: EncodedReasoning = {
    fields: least,
    maxOutputTokens: call.maxOutputTokens,
    plainSampling: false,
  };
  const drop = (why: string): EncodedReasoning => {
    warnings.push(dropped(settingPath(call, "reasoning"), why));
    return off;
  };
  if (effort === "none") {
    return thinkingOff === "none" ? drop("The model cannot do without reasoning") : off;
  }
  if (forcedTool) return drop("The model does not reason when it must call a tool");
  if (profile.reasoning === "adaptive") {
    const asked = effort === undefined
      ? {}
      : { output_config: { effort: nearest(effort, call, context) } };
    return {
      ...off,
      fields: { thinking: { type: "adaptive" }, ...fixSampling(call, asked, context) },
      plainSampling: true,
    };
  }
  const wanted = budgetOf(call.reasoning ?? {});
  if (wanted === undefined) return off;
  if (continuesUnsigned(call, context)) {
    return drop("The tool calls in progress come without their signed reasoning");
  }
  const budget = Math.max(wanted, minBudgetTokens);
  return {
    fields: fixSampling(call, { thinking: { type: "enabled", budget_tokens: budget } }, context),
    maxOutputTokens: raise(call, budget, warnings),
    plainSampling: true,
  };
}

/** A budget too small for any effort still asks for some. */
function readEffort(reasoning: NonNullable<Call["reasoning"]>): string | undefined {
  const { budgetTokens } = reasoning;
  return budgetTokens
    ? effortOf({ ...reasoning, budgetTokens: Math.max(budgetTokens, 512) })
    : effortOf(reasoning);
}

function fixSampling(call: Call, fields: JsonObject, context: EncodeContext): JsonObject {
  dropSampling(call, "Sampling is fixed while the model reasons", context);
  return fields;
}

/** The budget counts against the output limit and must lie below it. */
function raise(call: Call, budget: number, warnings: Warning[]): number | undefined {
  const { maxOutputTokens } = call;
  if (maxOutputTokens === undefined || maxOutputTokens > budget) return maxOutputTokens;
  warnings.push({
    code: "max_tokens_raised",
    path: settingPath(call, "maxOutputTokens"),
    action: "approximated",
    detail: `${maxOutputTokens} leaves no room beside ${budget} tokens of reasoning`,
  });
  return maxOutputTokens + budget;
}

const ranks = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** The highest effort the model knows that is not above the one asked for, else its lowest. */
function nearest(effort: string, call: Call, { profile, warnings }: EncodeContext): string {
  const { efforts } = profile;
  const rank = ranks.indexOf(effort);
  const word = efforts.findLast((each) => ranks.indexOf(each) <= rank) ?? efforts[0] ?? "low";
  if (word !== effort) {
    warnings.push({
      code: "reasoning_effort_approximated",
      path: settingPath(call, "reasoning"),
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
