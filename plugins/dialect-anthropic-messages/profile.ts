import type { DialectProfile } from "@vmx/core/contract";
import { flagOf, listOf, numberOf, textOf } from "./read-json.ts";

/** How a vendor's model takes this dialect; provider plugins hand it over as a `DialectProfile` of the same members. */
export interface MessagesProfile {
  /** The model's maximum of output tokens; default unknown. */
  readonly maxTokens: number | undefined;
  /**
   * How thinking is asked for: `budget` (default, `thinking.budget_tokens`), `adaptive` (`output_config.effort`) or
   * `none` for models that cannot.
   */
  readonly thinking: "budget" | "adaptive" | "none";
  /**
   * The `thinking.type` that asks for no thinking, or for as little as can be had: `disabled` (default),
   * `between_tools`, or `none` when there is no such type.
   */
  readonly thinkingOff: "disabled" | "between_tools" | "none";
  /** False when a tool choice that forces a call is refused; default true. */
  readonly forcedToolUse: boolean;
  /** Values `output_config.effort` takes; default `low`, `medium`, `high`. */
  readonly efforts: readonly string[];
  /** The member that takes a JSON Schema for the answer; by default none does and a forced tool stands in. */
  readonly structuredOutput: "output_config" | "output_format" | undefined;
  /** True when tools may be `strict`; default as `structuredOutput`, which came with it. */
  readonly strictTools: boolean;
  /** The `type` a web search is written with; default `web_search_20250305`. */
  readonly webSearchTool: string;
  /** False when `temperature` and `top_p` exclude each other; default true. */
  readonly temperatureWithTopP: boolean;
  /** Value of `anthropic_version` in the body; given by services that take model and stream from the path. */
  readonly bodyVersion: string | undefined;
  /** Members of the body that are refused: they are left out with a warning. */
  readonly strip: readonly string[];
}

/** Reads a profile and fills in the defaults. */
export function readProfile(profile: DialectProfile = {}): MessagesProfile {
  const names = (member: string): string[] =>
    listOf(profile[member]).filter((name) => typeof name === "string");
  const thinking = profile["thinking"];
  const off = profile["thinkingOff"];
  const structured = profile["structuredOutput"];
  const structuredOutput = structured === "output_config" || structured === "output_format"
    ? structured
    : undefined;
  const efforts = names("efforts");
  return {
    maxTokens: numberOf(profile["maxTokens"]),
    thinking: thinking === "adaptive" || thinking === "none" ? thinking : "budget",
    thinkingOff: off === "between_tools" || off === "none" ? off : "disabled",
    forcedToolUse: flagOf(profile["forcedToolUse"]) ?? true,
    efforts: efforts.length > 0 ? efforts : ["low", "medium", "high"],
    structuredOutput,
    strictTools: flagOf(profile["strictTools"]) ?? structuredOutput !== undefined,
    webSearchTool: textOf(profile["webSearchTool"]) ?? "web_search_20250305",
    temperatureWithTopP: flagOf(profile["temperatureWithTopP"]) ?? true,
    bodyVersion: textOf(profile["bodyVersion"]),
    strip: names("strip"),
  };
}
