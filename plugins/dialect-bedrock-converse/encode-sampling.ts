import type { Call, JsonObject, SettingPaths } from "@vmx/core/contract";
import { settingPath } from "@vmx/core/kit";
import { dropped, type EncodeContext } from "./encode-context.ts";

/** Sampling settings, by where they go. */
export interface EncodedSampling {
  /** Members of `inferenceConfig`. */
  readonly inference: JsonObject;
  /** Members of `additionalModelRequestFields`. */
  readonly fields: JsonObject;
}

/**
 * Writes temperature, top-p and top-k as far as the model takes them.
 *
 * @param fixed true when the model reasons, which fixes all of them; the warnings are given already
 */
export function encodeSampling(
  call: Call,
  fixed: boolean,
  context: EncodeContext,
): EncodedSampling {
  const { profile, warnings } = context;
  if (fixed) return { inference: {}, fields: {} };
  if (profile.sampling === "none") {
    dropSampling(call, "The model does not take it", context);
    return { inference: {}, fields: {} };
  }
  const { temperature, topP } = call.sampling;
  const excluded = profile.sampling === "either" && temperature !== undefined &&
    topP !== undefined;
  if (excluded) {
    warnings.push(
      dropped(settingPath(call, "topP"), "The model takes either temperature or top_p"),
    );
  }
  return {
    inference: { temperature, topP: excluded ? undefined : topP },
    fields: topKField(call, context),
  };
}

/** Notes what is lost where sampling is not taken; temperature and top-p of 1 mean what happens anyway. */
export function dropSampling(
  call: Call,
  why: string,
  { warnings }: Pick<EncodeContext, "warnings">,
): void {
  const { temperature, topP, topK } = call.sampling;
  const drop = (setting: keyof SettingPaths): void => {
    warnings.push(dropped(settingPath(call, setting), why));
  };
  if (temperature !== undefined && temperature !== 1) drop("temperature");
  if (topP !== undefined && topP !== 1) drop("topP");
  if (topK !== undefined) drop("topK");
}

function topKField(call: Call, { profile, warnings }: EncodeContext): JsonObject {
  const { topK } = call.sampling;
  if (topK === undefined) return {};
  switch (profile.topK) {
    case "top_k":
      return { top_k: topK };
    case "inferenceConfig.topK":
      return { inferenceConfig: { topK } };
    default:
      warnings.push(dropped(settingPath(call, "topK")));
      return {};
  }
}
