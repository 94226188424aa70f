import type { DialectProfile, JsonObject } from "@vmx/core/contract";
import { flagOf, objectOf, textOf, textsOf } from "./read-json.ts";

/**
 * How a model behind this dialect takes what the dialect leaves to models; provider plugins hand it over as a
 * `DialectProfile` of the same members.
 */
export interface ConverseProfile {
  /**
   * How reasoning is asked for: `budget` (`thinking.budget_tokens`), `adaptive` (`thinking` by effort),
   * `maxReasoningEffort` (`reasoningConfig`), `reasoning_effort`, or `none` (default) for models that cannot be asked.
   */
  readonly reasoning: "budget" | "adaptive" | "maxReasoningEffort" | "reasoning_effort" | "none";
  /** Where top-k sampling goes in `additionalModelRequestFields`, such as `top_k`; default nowhere. */
  readonly topK: "top_k" | "inferenceConfig.topK" | undefined;
  /** True when the service takes a JSON Schema for the answer; by default a forced tool stands in. */
  readonly structuredOutput: boolean;
  /** True when tools may be `strict`; default as `structuredOutput`, which came with it. */
  readonly strictTools: boolean;
  /** Tool choices that may be named to the model, of `auto`, `any`, `tool`; default all. */
  readonly toolChoices: readonly string[];
  /** True when parallel calls can be forbidden by an additional field; default false. */
  readonly singleToolCall: boolean;
  /** False when cache points are refused; default true. */
  readonly cachePoints: boolean;
  /** False when cache points among tools are refused; default as `cachePoints`. */
  readonly toolCachePoints: boolean;
  /** False when cache points have no lifetime; default true. */
  readonly cacheTtl: boolean;
  /** What of sampling the model takes: `both` (default), `either` temperature or top-p, or `none`, not even top-k. */
  readonly sampling: "both" | "either" | "none";
  /** Efforts the model knows, lowest first; default `low`, `medium`, `high`. */
  readonly efforts: readonly string[];
  /** The `thinking.type` for as little thinking as can be had; by default nothing is written, because it is off. */
  readonly thinkingOff: string | undefined;
  /** True when the model can tell which stop sequence it met; default false. */
  readonly tellsStopSequence: boolean;
  /** Name of the service's own tool that searches the web; default none. */
  readonly webSearchTool: string | undefined;
  /** Kind of the inputs of an embeddings call where the model must be told; default `search_document`. */
  readonly embeddingInputType: string;
  /** Members merged under the written body, such as the connection's `guardrailConfig`; default none. */
  readonly members: JsonObject;
}

/** Reads a profile and fills in the defaults. */
export function readProfile(profile: DialectProfile = {}): ConverseProfile {
  const reasoning = profile["reasoning"];
  const topK = profile["topK"];
  const structuredOutput = flagOf(profile["structuredOutput"]) ?? false;
  const cachePoints = flagOf(profile["cachePoints"]) ?? true;
  const choices = profile["toolChoices"];
  const sampling = profile["sampling"];
  const efforts = textsOf(profile["efforts"]);
  return {
    reasoning: reasoning === "budget" || reasoning === "adaptive" ||
        reasoning === "maxReasoningEffort" || reasoning === "reasoning_effort"
      ? reasoning
      : "none",
    topK: topK === "top_k" || topK === "inferenceConfig.topK" ? topK : undefined,
    structuredOutput,
    strictTools: flagOf(profile["strictTools"]) ?? structuredOutput,
    toolChoices: choices === undefined ? ["auto", "any", "tool"] : textsOf(choices),
    singleToolCall: flagOf(profile["singleToolCall"]) ?? false,
    cachePoints,
    toolCachePoints: flagOf(profile["toolCachePoints"]) ?? cachePoints,
    cacheTtl: flagOf(profile["cacheTtl"]) ?? true,
    sampling: sampling === "either" || sampling === "none" ? sampling : "both",
    efforts: efforts.length > 0 ? efforts : ["low", "medium", "high"],
    thinkingOff: textOf(profile["thinkingOff"]),
    tellsStopSequence: flagOf(profile["tellsStopSequence"]) ?? false,
    webSearchTool: textOf(profile["webSearchTool"]),
    embeddingInputType: textOf(profile["embeddingInputType"]) ?? "search_document",
    members: objectOf(profile["members"]) ?? {},
  };
}
