import type { Call, JsonObject, SettingPaths } from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import { dropped, type EncodeContext } from "./encode-context.ts";
import { compact } from "./read-json.ts";

/**
 * Writes sampling settings. What the API does not have is dropped with a warning, unless it says what happens
 * anyway (a penalty of 0).
 *
 * @param beside whether the model thinks, which excludes a temperature and top-k
 */
export function encodeSampling(
  call: Call,
  beside: { readonly thinking: boolean },
  context: EncodeContext,
): JsonObject {
  const { sampling } = call;
  const { warn } = context;
  const at = (setting: keyof SettingPaths): string => settingPath(call, setting);
  if (sampling.frequencyPenalty) warn(dropped(at("frequencyPenalty")));
  if (sampling.presencePenalty) warn(dropped(at("presencePenalty")));
  if (sampling.seed !== undefined) warn(dropped(at("seed")));
  if (sampling.logitBias && Object.keys(sampling.logitBias).length > 0) {
    warn(dropped(at("logitBias")));
  }
  if (sampling.logprobs) warn(dropped(at("logprobs")));
  if (sampling.topLogprobs) warn(dropped(at("topLogprobs")));
  let { temperature, topP, topK } = sampling;
  if (temperature !== undefined && temperature > 1) {
    warn({
      code: "parameter_approximated",
      path: at("temperature"),
      action: "approximated",
      detail: `${temperature} is above the highest, 1`,
    });
    temperature = 1;
  }
  if (beside.thinking) {
    const reason = "Thinking excludes it";
    // A temperature of 1 is what thinking runs at.
    if (temperature !== undefined && temperature !== 1) warn(dropped(at("temperature"), reason));
    if (topK !== undefined) warn(dropped(at("topK"), reason));
    if (topP !== undefined && topP < 0.95) {
      warn(dropped(at("topP"), "Thinking excludes values below 0.95"));
      topP = undefined;
    }
    temperature = undefined;
    topK = undefined;
  }
  if (!context.profile.temperatureWithTopP && temperature !== undefined && topP !== undefined) {
    if (topP !== 1) warn(dropped(at("topP"), "The model takes a temperature or top_p, not both"));
    topP = undefined;
  }
  return compact({
    temperature,
    top_p: topP,
    top_k: topK,
    stop_sequences: encodeStop(call, context),
  });
}

/** Blank stop sequences are refused by the API. */
function encodeStop(call: Call, context: EncodeContext): readonly string[] | undefined {
  const { stop } = call.sampling;
  if (!stop || stop.length === 0) return undefined;
  const kept = stop.filter((each) => each.trim() !== "");
  if (kept.length < stop.length) {
    context.warn(dropped(settingPath(call, "stop"), "Blank stop sequences are refused"));
  }
  return kept.length === 0 ? undefined : kept;
}
