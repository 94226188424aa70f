import {
  type Call,
  type EncodedRequest,
  type EncodeOptions,
  GatewayError,
  type Json,
  type JsonObject,
  type SettingPaths,
} from "@vmx/core/contract";
import { createToolNames, mergeObjects, settingPath } from "@vmx/core/kit";
import { createDocumentNames } from "./document-names.ts";
import { encodeInput } from "./embeddings.ts";
import { wireNames } from "./encode-content.ts";
import { dropped, type EncodeContext } from "./encode-context.ts";
import { encodeConversation } from "./encode-messages.ts";
import { encodeReasoningFields } from "./encode-reasoning.ts";
import { encodeSampling } from "./encode-sampling.ts";
import { encodeToolConfig, isForced, toolNamesOf } from "./encode-tools.ts";
import { readProfile } from "./profile.ts";
import { compact, dialectId, filled, objectOf, ownNative, pointer } from "./read-json.ts";
import { encodeOutputConfig } from "./structured-output.ts";

/** Metadata the service accepts (API reference, `ConverseRequest.requestMetadata`). */
const metadataText = /^[a-zA-Z0-9\s:_@$#=/+,\-.]{1,256}$/;
const maxMetadataEntries = 16;

const serviceTiers = new Set(["default", "flex", "priority", "reserved"]);

/**
 * Writes a call as a request body; model and stream go into the path. The profile's members are those of
 * `ConverseProfile`.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 */
export function encodeRequest(call: Call, options: EncodeOptions): EncodedRequest {
  const profile = readProfile(options.profile);
  const context: EncodeContext = {
    profile,
    family: options.family,
    toolNames: createToolNames(toolNamesOf(call), wireNames),
    documentName: createDocumentNames(),
    warnings: [],
  };
  if (call.operation === "embeddings") {
    for (const name of call.dialect === dialectId ? [] : Object.keys(call.extras)) {
      context.warnings.push(dropped(pointer(name)));
    }
    return { value: encodeInput(call, options.model, context), warnings: context.warnings };
  }
  const body = mergeObjects(profile.members, compact(encodeChat(call, context)));
  return {
    value: body,
    warnings: context.warnings,
    ...(context.toolNames.changed ? { toolNames: context.toolNames.changed } : {}),
  };
}

function encodeChat(call: Call, context: EncodeContext): JsonObject {
  const { sampling } = call;
  if ((sampling.n ?? 1) > 1) {
    throw new GatewayError(
      "unsupported_content",
      `Cannot write the request: the service gives one answer, not n = ${sampling.n}`,
      { param: "n" },
    );
  }
  const own = call.dialect === dialectId;
  const { system, messages } = encodeConversation(call, context);
  const toolConfig = encodeToolConfig(call, context);
  const settings = own ? ownSettings(call) : foreignSettings(call, toolConfig, context);
  return {
    messages,
    ...(system.length > 0 ? { system } : {}),
    ...settings,
    toolConfig,
  };
}

/** Settings in the spelling they came with. */
function ownSettings(call: Call): JsonObject {
  const native = ownNative(call) ?? {};
  const { temperature, topP } = call.sampling;
  const inference = compact(inferenceConfig(call, call.maxOutputTokens, { temperature, topP }));
  return {
    ...call.extras,
    ...native,
    inferenceConfig: filled({ ...objectOf(native["inferenceConfig"]), ...inference }),
  };
}

function foreignSettings(
  call: Call,
  toolConfig: JsonObject | undefined,
  context: EncodeContext,
): JsonObject {
  const { profile } = context;
  dropUnknown(call, context);
  const reasoning = encodeReasoningFields(call, isForced(toolConfig), context);
  const sampling = encodeSampling(call, reasoning.plainSampling, context);
  const structured = call.output?.type === "json-schema" && profile.structuredOutput
    ? encodeOutputConfig(call.output)
    : undefined;
  const stops = (call.sampling.stop ?? []).length > 0;
  return {
    inferenceConfig: filled(inferenceConfig(call, reasoning.maxOutputTokens, sampling.inference)),
    additionalModelRequestFields: filled({
      ...reasoning.fields,
      ...sampling.fields,
      ...singleCallField(call, toolConfig, context),
    }),
    ...(stops && profile.tellsStopSequence
      ? { additionalModelResponseFieldPaths: ["/stop_sequence"] }
      : {}),
    requestMetadata: requestMetadata(call, context),
    serviceTier: serviceTier(call, context),
    outputConfig: structured,
  };
}

function inferenceConfig(
  call: Call,
  maxTokens: number | undefined,
  sampling: JsonObject,
): JsonObject {
  const stop = call.sampling.stop?.filter((each) => each !== "");
  return {
    maxTokens,
    ...sampling,
    stopSequences: stop && stop.length > 0 ? stop : undefined,
  };
}

function singleCallField(
  call: Call,
  toolConfig: JsonObject | undefined,
  { profile, warnings }: EncodeContext,
): JsonObject {
  if (call.parallelToolCalls !== false || !toolConfig) return {};
  // The field is a choice of its own, and two choices are refused.
  if (profile.singleToolCall && !isForced(toolConfig)) {
    return { tool_choice: { type: "auto", disable_parallel_tool_use: true } };
  }
  warnings.push(dropped(settingPath(call, "parallelToolCalls")));
  return {};
}

function requestMetadata(call: Call, { warnings }: EncodeContext): JsonObject | undefined {
  const kept: Record<string, Json> = {};
  let count = 0;
  for (const [name, value] of Object.entries(call.metadata ?? {})) {
    const fits = typeof value === "string" && metadataText.test(name) && metadataText.test(value);
    if (fits && ++count <= maxMetadataEntries) kept[name] = value;
    else if (value !== undefined) {
      warnings.push(dropped(settingPath(call, "metadata") + pointer(name)));
    }
  }
  return filled(kept);
}

function serviceTier(call: Call, { warnings }: EncodeContext): Json | undefined {
  const { serviceTier: tier } = call;
  if (tier === undefined || tier === "auto") return undefined;
  if (serviceTiers.has(tier)) return { type: tier };
  warnings.push(dropped(settingPath(call, "serviceTier"), `The service has no tier "${tier}"`));
  return undefined;
}

/** Settings without a counterpart. Those that ask for the default are no loss. */
function dropUnknown(call: Call, { warnings }: EncodeContext): void {
  const { sampling, extras } = call;
  const settings: Readonly<Partial<Record<keyof SettingPaths, Json | undefined>>> = {
    frequencyPenalty: sampling.frequencyPenalty || undefined,
    presencePenalty: sampling.presencePenalty || undefined,
    seed: sampling.seed,
    logitBias: sampling.logitBias && filled(sampling.logitBias),
    logprobs: sampling.logprobs || undefined,
    topLogprobs: sampling.topLogprobs || undefined,
    user: call.user,
  };
  for (const [setting, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    // The names are those of the object above.
    warnings.push(dropped(settingPath(call, setting as keyof SettingPaths)));
  }
  for (const [name, value] of Object.entries(extras)) {
    // How a stream is delivered is the business of the answer's encoder; not to store is what happens anyway.
    if (name === "stream_options" || (name === "store" && value === false)) continue;
    warnings.push(dropped(pointer(name)));
  }
}
