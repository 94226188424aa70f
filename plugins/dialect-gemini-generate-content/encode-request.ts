import type {
  Call,
  EncodedRequest,
  EncodeOptions,
  Json,
  JsonObject,
  Warning,
} from "@vmx/core/contract";
import { createToolNames, downlevelSchema, mergeObjects, settingPath } from "@vmx/core/kit";
import { encodeInput } from "./embeddings.ts";
import { encodeContents, encodeSystem } from "./encode-contents.ts";
import { type EncodeContext, nameAlphabet } from "./encode-context.ts";
import { encodeTools, toolConfigOf, toolNames } from "./encode-tools.ts";
import { modelPath } from "./model-path.ts";
import { readProfile } from "./profile.ts";
import { compact, dialectId, objectOf, ownNative, pointer } from "./read-json.ts";
import { jsonSchemaTarget, openApiTarget } from "./schema.ts";
import { writeThinking } from "./thinking.ts";

/** Members of other dialects' bodies that change nothing here, or nothing with the value given. */
const harmless: Readonly<Record<string, readonly Json[] | "any">> = {
  "cache_control": "any",
  "prompt_cache_key": "any",
  "prompt_cache_retention": "any",
  "stream_options": "any",
  "include": "any",
  "store": [false],
  "background": [false],
  "truncation": ["disabled"],
  "modalities": [["text"]],
  "verbosity": ["medium"],
};

/** Names of the service's tiers for those of others; an empty one asks for what it does anyway. */
const tiers: Readonly<Record<string, string>> = {
  auto: "",
  default: "standard",
  standard: "standard",
  standard_only: "standard",
  flex: "flex",
  priority: "priority",
};

/** Most stop sequences the service takes. */
const maxStops = 5;

/**
 * Writes a call as a request body. The profile's members are those of `GenerateProfile`.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 */
export function encodeRequest(call: Call, options: EncodeOptions): EncodedRequest {
  const warnings: Warning[] = [];
  const names = createToolNames(toolNames(call), nameAlphabet);
  const context: EncodeContext = {
    profile: readProfile(options.profile),
    family: options.family,
    names,
    at: (setting) => settingPath(call, setting),
    warn: (code, path, action, detail) => {
      warnings.push({ code, path, action, ...(detail === undefined ? {} : { detail }) });
    },
  };
  const own = call.dialect === dialectId;
  if (!own) warnOfExtras(call, context);
  const extras: Record<string, Json> = own ? { ...call.extras } : {};
  if (call.operation === "embeddings") {
    const value = { ...extras, ...encodeInput(call, options.model, context) };
    return { value: compact(value), warnings };
  }
  const settings = encodeSettings(call, context);
  const config = mergeObjects(objectOf(extras["generationConfig"]), settings);
  const { toolConfig, ...tools } = encodeTools(call, context);
  const choice = mergeObjects(toolConfigOf(call), objectOf(toolConfig));
  delete extras["generationConfig"];
  delete extras["toolConfig"];
  const body = compact({
    ...extras,
    contents: encodeContents(call, context),
    systemInstruction: encodeSystem(call, context),
    ...tools,
    toolConfig: Object.keys(choice).length > 0 ? choice : undefined,
    generationConfig: Object.keys(config).length > 0 ? config : undefined,
    serviceTier: encodeTier(call, context),
  });
  const value = call.operation === "count-tokens"
    ? { generateContentRequest: { model: modelPath(options.model), ...body } }
    : body;
  return { value, warnings, ...(names.changed ? { toolNames: names.changed } : {}) };
}

function encodeSettings(call: Call, context: EncodeContext): JsonObject {
  const { sampling } = call;
  const { warn, at } = context;
  const originals = ownNative(call as { native?: NonNullable<Call["native"]> });
  if (sampling.logitBias && Object.keys(sampling.logitBias).length > 0) {
    warn("parameter_dropped", at("logitBias"), "dropped");
  }
  if (call.user !== undefined) warn("parameter_dropped", at("user"), "dropped");
  if (call.metadata && Object.keys(call.metadata).length > 0) {
    for (const name of Object.keys(call.metadata)) {
      warn("parameter_dropped", at("metadata") + pointer(name), "dropped");
    }
  }
  const stop = sampling.stop ?? [];
  if (stop.length > maxStops && call.dialect !== dialectId) {
    warn("parameter_dropped", at("stop"), "dropped", `Only ${maxStops} stop sequences are taken`);
  }
  const wantsLogprobs = sampling.logprobs ?? (sampling.topLogprobs ? true : undefined);
  return compact({
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    candidateCount: sampling.n,
    maxOutputTokens: call.maxOutputTokens,
    stopSequences: sampling.stop &&
      [...(call.dialect === dialectId ? stop : stop.slice(0, maxStops))],
    seed: sampling.seed,
    ...encodePenalties(call, context),
    responseLogprobs: wantsLogprobs,
    logprobs: sampling.topLogprobs,
    ...(objectOf(originals?.["output"]) ?? encodeOutput(call, context)),
    thinkingConfig: objectOf(originals?.["thinkingConfig"]) ??
      writeThinking(call.reasoning, context),
  });
}

/** A penalty of zero is none, so it goes without a warning where penalties are refused. */
function encodePenalties({ sampling }: Call, { at, profile, warn }: EncodeContext): JsonObject {
  const { frequencyPenalty, presencePenalty } = sampling;
  if (profile.penalties) return { frequencyPenalty, presencePenalty };
  for (const setting of ["frequencyPenalty", "presencePenalty"] as const) {
    if (!sampling[setting]) continue;
    warn("parameter_dropped", at(setting), "dropped", "The model takes no penalties");
  }
  return {};
}

function encodeOutput(call: Call, { at, profile, warn }: EncodeContext): JsonObject {
  const { output } = call;
  if (output?.type === "json") return { responseMimeType: "application/json" };
  if (output?.type !== "json-schema") return {};
  const target = profile.jsonSchema ? jsonSchemaTarget : openApiTarget;
  const described = output.description === undefined
    ? output.schema
    : { description: output.description, ...output.schema };
  const rewritten = downlevelSchema(described, target, at("outputSchema"));
  for (const { code, path, action, detail } of rewritten.warnings) warn(code, path, action, detail);
  const member = profile.jsonSchema ? "responseJsonSchema" : "responseSchema";
  return { responseMimeType: "application/json", [member]: rewritten.value };
}

function encodeTier(call: Call, { at, warn }: EncodeContext): string | undefined {
  const { serviceTier } = call;
  if (serviceTier === undefined) return undefined;
  if (Object.hasOwn(tiers, serviceTier)) return tiers[serviceTier] || undefined;
  if (call.dialect === dialectId) return serviceTier;
  warn("parameter_dropped", at("serviceTier"), "dropped", "The service has no such tier");
  return undefined;
}

function warnOfExtras(call: Call, { warn }: EncodeContext): void {
  for (const [name, value] of Object.entries(call.extras)) {
    const values = Object.hasOwn(harmless, name) ? harmless[name] : undefined;
    const same = values === "any" ||
      values?.some((each) => JSON.stringify(each) === JSON.stringify(value));
    if (!same) warn("parameter_dropped", pointer(name), "dropped");
  }
}
