import {
  type Call,
  GatewayError,
  type Json,
  type JsonObject,
  type Operation,
  type OutputFormat,
  type ReasoningSettings,
  type Sampling,
  type Translated,
} from "@vmx/core/contract";
import { decodeContents, decodeSystem } from "./decode-contents.ts";
import { decodeToolConfig, decodeTools } from "./decode-tools.ts";
import { decodeInput } from "./embeddings.ts";
import {
  camel,
  camelOf,
  compact,
  dialectId,
  flagOf,
  listOf,
  native,
  numberOf,
  objectOf,
  present,
  textOf,
  without,
} from "./read-json.ts";
import { isEffort } from "./reasoning-effort.ts";
import { readSchema } from "./schema.ts";

/** Members of the body the canonical call has a place for; all others are extras. */
const known: ReadonlySet<string> = new Set([
  "model",
  "contents",
  "systemInstruction",
  "tools",
  "toolConfig",
  "generationConfig",
  "serviceTier",
]);

/** Members of `generationConfig` the canonical call has a place for. */
const knownSettings: ReadonlySet<string> = new Set([
  "temperature",
  "topP",
  "topK",
  "candidateCount",
  "maxOutputTokens",
  "stopSequences",
  "seed",
  "frequencyPenalty",
  "presencePenalty",
  "responseLogprobs",
  "logprobs",
]);

const outputSettings = new Set(["responseMimeType", "responseSchema", "responseJsonSchema"]);

/**
 * Reads a request body into the canonical call. The model stands in the path, so it is empty here unless the body
 * repeats it; likewise the body does not tell whether the answer is to be streamed.
 *
 * Throws `invalid_request` naming the member at fault.
 */
export function decodeRequest(body: JsonObject, operation: Operation): Translated<Call> {
  if (operation === "embeddings") return { value: decodeInput(body), warnings: [] };
  const outer = camel(body);
  const own = operation === "count-tokens"
    ? camelOf(outer["generateContentRequest"]) ?? outer
    : outer;
  if (listOf(own["contents"]).length === 0 && !objectOf(own["contents"])) {
    throw new GatewayError("invalid_request", "Cannot read the request: contents are missing", {
      param: "contents",
    });
  }
  const config = camelOf(own["generationConfig"]) ?? {};
  const tools = decodeToolConfig(own["toolConfig"]);
  const thinking = camelOf(config["thinkingConfig"]);
  const output = decodeOutput(config);
  const originals = compact({
    thinkingConfig: thinking,
    output: output && pick(config, outputSettings),
  });
  const restOfConfig = without(
    config,
    new Set([...knownSettings, "thinkingConfig", ...(output ? outputSettings : [])]),
  );
  const extras: Record<string, Json> = without(own, known);
  if (Object.keys(restOfConfig).length > 0) extras["generationConfig"] = restOfConfig;
  if (tools.rest) extras["toolConfig"] = tools.rest;
  const call: Call = {
    operation,
    dialect: dialectId,
    model: (textOf(own["model"]) ?? "").replace(/^models\//, ""),
    stream: false,
    system: decodeSystem(own["systemInstruction"]),
    turns: decodeContents(own["contents"]),
    tools: decodeTools(own["tools"]),
    sampling: decodeSampling(config),
    ...present({
      toolChoice: tools.choice,
      output,
      maxOutputTokens: numberOf(config["maxOutputTokens"]),
      reasoning: thinking && decodeThinking(thinking),
      serviceTier: textOf(own["serviceTier"])?.toLowerCase(),
      native: Object.keys(originals).length === 0 ? undefined : native(originals),
    }),
    extras,
  };
  return { value: call, warnings: [] };
}

function decodeSampling(config: JsonObject): Sampling {
  const { stopSequences } = config;
  return present({
    temperature: numberOf(config["temperature"]),
    topP: numberOf(config["topP"]),
    topK: numberOf(config["topK"]),
    n: numberOf(config["candidateCount"]),
    seed: numberOf(config["seed"]),
    frequencyPenalty: numberOf(config["frequencyPenalty"]),
    presencePenalty: numberOf(config["presencePenalty"]),
    logprobs: flagOf(config["responseLogprobs"]),
    topLogprobs: numberOf(config["logprobs"]),
    stop: Array.isArray(stopSequences)
      ? listOf(stopSequences).filter((each) => typeof each === "string")
      : undefined,
  });
}

function decodeOutput(config: JsonObject): OutputFormat | undefined {
  const type = textOf(config["responseMimeType"]);
  if (type === "text/plain") return { type: "text" };
  if (type !== "application/json") return undefined;
  const schema = objectOf(config["responseSchema"]);
  const chosen = objectOf(config["responseJsonSchema"]) ?? (schema && readSchema(schema));
  return chosen ? { type: "json-schema", schema: chosen } : { type: "json" };
}

function decodeThinking(thinking: JsonObject): ReasoningSettings {
  const budget = numberOf(thinking["thinkingBudget"]);
  const level = textOf(thinking["thinkingLevel"])?.toLowerCase();
  return present({
    // A negative budget leaves the choice to the model.
    budgetTokens: budget !== undefined && budget >= 0 ? budget : undefined,
    effort: isEffort(level) ? level : undefined,
    summary: thinking["includeThoughts"] === true ? "auto" : undefined,
  });
}

function pick(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.has(name)));
}
