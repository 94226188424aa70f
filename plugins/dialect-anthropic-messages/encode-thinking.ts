import type { Call, JsonObject } from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import { dropped, type EncodeContext } from "./encode-context.ts";
import { budgetOf, effortOf } from "./reasoning-effort.ts";

const minBudget = 1024;
const defaultMaxTokens = 4096;

/** The members of a request that govern how long the model thinks and answers. */
export interface EncodedThinking {
  readonly thinking: JsonObject | undefined;
  readonly effort: string | undefined;
  readonly maxTokens: number;
}

/** Which circumstances of the request forbid thinking. */
export interface ThinkingObstacles {
  /** A tool call is forced. */
  readonly forced: boolean;
  /** The request answers tool calls that were made without signed thinking. */
  readonly unsigned: boolean;
}

/**
 * Writes reasoning settings and the output limit. A budget is at least 1 024 tokens and below the limit, which is
 * raised by the budget where it has to be; a limit nobody set gives way without a warning.
 */
export function encodeThinking(
  call: Call,
  obstacles: ThinkingObstacles,
  context: EncodeContext,
): EncodedThinking {
  const { profile } = context;
  const cap = profile.maxTokens ?? Number.POSITIVE_INFINITY;
  const maxTokens = call.maxOutputTokens ?? Math.min(defaultMaxTokens, cap);
  const none: EncodedThinking = { thinking: undefined, effort: undefined, maxTokens };
  const { reasoning } = call;
  if (!reasoning) {
    // Some models think unless told not to, which a forced call excludes.
    const rest = obstacles.forced && profile.thinking === "adaptive" &&
      profile.thinkingOff === "disabled";
    return rest ? { ...none, thinking: { type: "disabled" } } : none;
  }
  if (profile.thinking === "none") {
    if (effortOf(reasoning) !== "none") {
      context.warn(dropped(settingPath(call, "reasoning"), "The model has no reasoning"));
    }
    return none;
  }
  const asked = budgetOf(reasoning);
  // A budget too small for any effort still asks for some.
  const effort = asked
    ? effortOf({ ...reasoning, budgetTokens: Math.max(asked, 512) })
    : effortOf(reasoning);
  const off = profile.thinkingOff === "none" ? undefined : { type: profile.thinkingOff };
  if (effort === "none") {
    const least = off?.type === "disabled" ? undefined : nearestEffort("none", call, context);
    return { ...none, thinking: off, effort: least };
  }
  if (obstacles.forced) {
    context.warn(dropped(settingPath(call, "reasoning"), "A forced tool call excludes thinking"));
    return { ...none, thinking: profile.thinking === "adaptive" ? off : undefined };
  }
  if (profile.thinking === "adaptive") {
    const display = reasoning.summary === undefined ? {} : { display: "summarized" };
    return {
      thinking: { type: "adaptive", ...display },
      effort: effort === undefined ? undefined : nearestEffort(effort, call, context),
      maxTokens,
    };
  }
  if (asked === undefined) return none;
  if (obstacles.unsigned) {
    context.warn({
      code: "reasoning_dropped",
      path: settingPath(call, "reasoning"),
      action: "dropped",
      detail: "The tool calls being answered came without signed thinking, which a budget requires",
    });
    return none;
  }
  const wanted = Math.max(minBudget, asked);
  if (wanted < maxTokens) {
    return { ...none, thinking: { type: "enabled", budget_tokens: wanted } };
  }
  const raised = Math.min(maxTokens + wanted, cap);
  const budget = Math.max(minBudget, Math.min(wanted, raised - 1));
  if (call.maxOutputTokens !== undefined) {
    context.warn({
      code: "max_tokens_raised",
      path: settingPath(call, "maxOutputTokens"),
      action: "approximated",
      detail: `From ${maxTokens} to ${raised}, to hold ${budget} tokens of thinking`,
    });
  }
  return { ...none, thinking: { type: "enabled", budget_tokens: budget }, maxTokens: raised };
}

const order = ["low", "medium", "high", "xhigh", "max"];

/** The model's nearest effort that is not above the one asked for, else its lowest; anything else is a loss. */
function nearestEffort(effort: string, call: Call, context: EncodeContext): string {
  const { efforts } = context.profile;
  if (efforts.includes(effort)) return effort;
  const known = order.filter((each) => efforts.includes(each));
  const below = known.filter((each) => order.indexOf(each) <= order.indexOf(effort));
  const nearest = below.at(-1) ?? known[0] ?? "low";
  context.warn({
    code: "reasoning_effort_approximated",
    path: settingPath(call, "reasoning"),
    action: "approximated",
    detail: `${effort} is passed on as ${nearest}`,
  });
  return nearest;
}
