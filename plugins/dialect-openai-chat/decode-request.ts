import type {
  Call,
  Json,
  JsonObject,
  Operation,
  OutputFormat,
  ReasoningSettings,
  Sampling,
  Translated,
  Warning,
} from "@vmx/core/contract";
import { checkShape, isObject, settingPaths } from "@vmx/core/kit";
import { decodeMessages } from "./decode-messages.ts";
import { decodeToolChoice, decodeTools, lossOfTools } from "./decode-tools.ts";
import { decodeInput } from "./embeddings.ts";
import { dialectId, flagOf, listOf, numberOf, objectOf, textOf } from "./read-json.ts";
import { isEffort } from "./reasoning-effort.ts";
import { requestShape } from "./request-shape.ts";
import { settingMembers } from "./setting-members.ts";
import { validate } from "./validate.ts";

/** Members the canonical call has a place for; all others are extras. */
const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "tools",
  "functions",
  "web_search_options",
  "parallel_tool_calls",
  "temperature",
  "top_p",
  "top_k",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "logit_bias",
  "logprobs",
  "top_logprobs",
  "n",
  "stop",
  "max_completion_tokens",
  "max_tokens",
  "service_tier",
  "metadata",
]);

/**
 * Reads a request body into the canonical call.
 *
 * Throws `invalid_request` naming the member at fault.
 */
export function decodeRequest(body: JsonObject, operation: Operation): Translated<Call> {
  validate(body, operation);
  if (operation === "embeddings") return { value: decodeInput(body), warnings: [] };
  checkShape(body, requestShape);
  const messages = decodeMessages(body["messages"]);
  const tools = decodeTools(body);
  const toolChoice = decodeToolChoice(body, tools);
  const output = decodeOutput(body["response_format"]);
  const effort = decodeEffort(body["reasoning_effort"]);
  const identifier = textOf(body["safety_identifier"]);
  const user = identifier ?? textOf(body["user"]);

  const extras = new Map<string, Json>();
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null || known.has(name)) continue;
    extras.set(name, value);
  }
  if (toolChoice) { for (const name of ["tool_choice", "function_call"]) extras.delete(name); }
  if (output) extras.delete("response_format");
  if (effort.exact) extras.delete("reasoning_effort");
  extras.delete("safety_identifier");
  if (identifier === undefined) extras.delete("user");

  const settings = present({
    toolChoice,
    parallelToolCalls: flagOf(body["parallel_tool_calls"]),
    output,
    maxOutputTokens: numberOf(body["max_completion_tokens"]) ?? numberOf(body["max_tokens"]),
    reasoning: effort.settings,
    user,
    serviceTier: textOf(body["service_tier"]),
    metadata: objectOf(body["metadata"]),
  });
  const call: Call = {
    operation,
    dialect: dialectId,
    model: textOf(body["model"]) ?? "",
    stream: body["stream"] === true,
    system: messages.system,
    turns: messages.turns,
    tools,
    sampling: decodeSampling(body),
    ...settings,
    paths: settingPaths(body, settingMembers),
    extras: Object.fromEntries(extras),
  };
  return {
    value: call,
    warnings: [...messages.warnings, ...lossOfTools(body), ...effort.warnings],
  };
}

function decodeSampling(body: JsonObject): Sampling {
  const stop = typeof body["stop"] === "string"
    ? [body["stop"]]
    : Array.isArray(body["stop"])
    ? listOf(body["stop"]).filter((each) => typeof each === "string")
    : undefined;
  return present({
    temperature: numberOf(body["temperature"]),
    topP: numberOf(body["top_p"]),
    topK: numberOf(body["top_k"]),
    frequencyPenalty: numberOf(body["frequency_penalty"]),
    presencePenalty: numberOf(body["presence_penalty"]),
    seed: numberOf(body["seed"]),
    logitBias: objectOf(body["logit_bias"]),
    logprobs: flagOf(body["logprobs"]),
    topLogprobs: numberOf(body["top_logprobs"]),
    n: numberOf(body["n"]),
    stop,
  });
}

function decodeOutput(format: Json | undefined): OutputFormat | undefined {
  if (!isObject(format)) return undefined;
  if (format["type"] === "text") return { type: "text" };
  if (format["type"] === "json_object") return { type: "json" };
  const own = objectOf(format["json_schema"]);
  if (format["type"] !== "json_schema" || !own) return undefined;
  return {
    type: "json-schema",
    ...present({
      name: textOf(own["name"]),
      description: textOf(own["description"]),
      strict: flagOf(own["strict"]),
    }),
    schema: objectOf(own["schema"]) ?? {},
  };
}

interface DecodedEffort {
  readonly settings?: ReasoningSettings;
  /** True when nothing is lost, so that the original need not be kept. */
  readonly exact: boolean;
  readonly warnings: readonly Warning[];
}

/** An effort the canonical call has no word for stays an extra; `max` also counts as the highest it knows. */
function decodeEffort(value: Json | undefined): DecodedEffort {
  const effort = textOf(value);
  if (isEffort(effort)) return { settings: { effort }, exact: true, warnings: [] };
  if (effort !== "max") return { exact: false, warnings: [] };
  return {
    settings: { effort: "xhigh" },
    exact: false,
    warnings: [{
      code: "reasoning_effort_approximated",
      path: "/reasoning_effort",
      action: "approximated",
      detail: "max is passed on as xhigh to other dialects",
    }],
  };
}

/** A copy without members that are undefined, typed so that they may be absent. */
function present<Members extends object>(members: Members): Present<Members> {
  // Only undefined members go, which is what the type says.
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Present<Members>;
}

type Present<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };
