import type { JsonObject, ReasoningSettings } from "@vmx/core/contract";
import type { EncodeContext } from "./encode-context.ts";
import type { GenerateProfile } from "./profile.ts";
import { budgetOf, type Effort, effortOf } from "./reasoning-effort.ts";

/** The level each effort asks for; a model takes the nearest it knows that is not above it. */
const ranks: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 1,
  low: 2,
  medium: 3,
  high: 4,
  xhigh: 5,
};

/** Writes reasoning settings as the model takes them: as `thinkingBudget` or as `thinkingLevel`. */
export function writeThinking(
  settings: ReasoningSettings | undefined,
  context: EncodeContext,
): JsonObject | undefined {
  if (!settings) return undefined;
  const { profile, at, warn } = context;
  const effort = effortOf(settings);
  // Whoever asks a model to reason may read along, unless he declined.
  const shown = effort === "none" || settings.summary === "none" || settings.summary === "omitted"
    ? {}
    : { includeThoughts: true };
  if (profile.thinking === "none") {
    if (effort !== "none" && effort !== undefined) {
      warn("parameter_dropped", at("reasoning"), "dropped", "The model does not reason");
    }
    return undefined;
  }
  if (effort === undefined) return settings.summary === undefined ? undefined : shown;
  return profile.thinking === "level"
    ? { thinkingLevel: levelOf(effort, context).toUpperCase(), ...shown }
    : { thinkingBudget: budget(budgetOf(settings) ?? 0, profile, context), ...shown };
}

function levelOf(effort: Effort, { profile, at, warn }: EncodeContext): string {
  const rank = ranks[effort]!;
  const known = profile.levels.filter((level) => Object.hasOwn(ranks, level));
  const level = known.findLast((each) => ranks[each]! <= rank) ?? known[0] ?? "low";
  if (ranks[level] !== rank) {
    warn(
      "reasoning_effort_approximated",
      at("reasoning"),
      "approximated",
      `"${effort}" is passed on as "${level}"`,
    );
  }
  return level;
}

function budget(
  asked: number,
  profile: GenerateProfile,
  { at, warn }: EncodeContext,
): number {
  const least = asked === 0 && profile.mayReasonNot ? 0 : profile.minBudget;
  const given = Math.min(Math.max(asked, least), profile.maxBudget);
  if (given !== asked) {
    warn(
      "reasoning_effort_approximated",
      at("reasoning"),
      "approximated",
      `A budget of ${asked} tokens is passed on as ${given}`,
    );
  }
  return given;
}
