import type { Adaptation, AdaptRequest, DialectProfile, Warning } from "@vmx/core/contract";
import { samplingParameters } from "./api-version.ts";
import { traitsOf } from "./model-traits.ts";

/** How a model takes the Messages dialect; the members are those of the dialect's `MessagesProfile`. */
export function profileOf(model: string): DialectProfile {
  const traits = traitsOf(model);
  const { maxTokens, thinking, efforts, thinkingOff, structuredOutput, sampling } = traits;
  return {
    maxTokens,
    thinking,
    efforts,
    thinkingOff: thinkingOff ?? "none",
    forcedToolUse: traits.forcedToolUse,
    structuredOutput: structuredOutput ? "output_config" : undefined,
    temperatureWithTopP: sampling === "both",
    strip: sampling === "none" ? [...samplingParameters] : undefined,
  };
}

/** Takes sampling out of a passed-through body whose model refuses it in every version of the API. */
export function adaptBody({ operation, model, body }: AdaptRequest): Adaptation | undefined {
  if (operation !== "chat" || traitsOf(model).sampling !== "none") return undefined;
  const remove = samplingParameters.filter((name) => Object.hasOwn(body, name));
  if (remove.length === 0) return undefined;
  // At 1 temperature and top-p mean what the model does anyway.
  const lost = remove.filter((name) =>
    body[name] !== null && (name === "top_k" || body[name] !== 1)
  );
  const warnings = lost.map((name): Warning => ({
    code: "parameter_dropped",
    path: `/${name}`,
    action: "dropped",
    detail: `${model} does not take ${name}`,
  }));
  return { remove, ...(warnings.length > 0 && { warnings }) };
}
