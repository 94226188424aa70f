import type { DialectProfile, JsonObject } from "@vmx/core/contract";
import { flagOf, listOf, objectOf, textOf } from "./read-json.ts";

/** How a vendor spells this dialect; provider plugins hand it over as a `DialectProfile` of the same members. */
export interface ChatProfile {
  /** Where the output limit goes: `max_completion_tokens` (default) or `max_tokens`. */
  readonly maxTokensField: string;
  /** Where the end user goes: `safety_identifier` (default) or `user`. */
  readonly userField: string;
  /** Role of every system text: `system` or `developer`; by default each keeps its own. */
  readonly systemRole: string | undefined;
  /** Member of assistant messages that takes reasoning back, such as `reasoning_content`; default none. */
  readonly reasoningField: string | undefined;
  /** Member for top-k sampling, such as `top_k`; default none. */
  readonly topKField: string | undefined;
  /** False when `stream_options` are refused; default true. */
  readonly streamUsage: boolean;
  /** True when `prompt_cache_breakpoint` is understood; default false, because caching is automatic. */
  readonly cacheBreakpoints: boolean;
  /** True when one answer is all that can be asked for: `n` above 1 fails the leg; default false. */
  readonly singleAnswer: boolean;
  /** The model's words for efforts, null for those it takes no word for; efforts not among them are its own. */
  readonly efforts: Readonly<Record<string, string | null>>;
  /** Members a body has unless the call brings its own, such as `reasoning_format`; default none. */
  readonly members: JsonObject;
  /** Members of the body that are refused: they are left out with a warning. */
  readonly strip: readonly string[];
  /** Members of messages that are refused, such as `name`: they are left out with a warning. */
  readonly stripMessage: readonly string[];
}

/** Reads a profile and fills in the defaults. */
export function readProfile(profile: DialectProfile = {}): ChatProfile {
  const names = (member: string): string[] =>
    listOf(profile[member]).filter((name) => typeof name === "string");
  return {
    maxTokensField: textOf(profile["maxTokensField"]) ?? "max_completion_tokens",
    userField: textOf(profile["userField"]) ?? "safety_identifier",
    systemRole: textOf(profile["systemRole"]),
    reasoningField: textOf(profile["reasoningField"]),
    topKField: textOf(profile["topKField"]),
    streamUsage: flagOf(profile["streamUsage"]) ?? true,
    cacheBreakpoints: flagOf(profile["cacheBreakpoints"]) ?? false,
    singleAnswer: flagOf(profile["singleAnswer"]) ?? false,
    efforts: readEfforts(objectOf(profile["efforts"]) ?? {}),
    members: objectOf(profile["members"]) ?? {},
    strip: names("strip"),
    stripMessage: names("stripMessage"),
  };
}

function readEfforts(efforts: JsonObject): ChatProfile["efforts"] {
  const known = Object.entries(efforts).filter(([, word]) =>
    typeof word === "string" || word === null
  );
  return Object.fromEntries(known) as ChatProfile["efforts"];
}
