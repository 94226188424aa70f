import {
  type Call,
  GatewayError,
  type Json,
  type JsonObject,
  type Operation,
  type OutputFormat,
  type ReasoningSettings,
  type Translated,
  type Warning,
} from "@vmx/core/contract";
import { checkShape, settingPaths } from "@vmx/core/kit";
import { lossOfConversation } from "./loss-of-blocks.ts";
import { decodeConversation } from "./decode-messages.ts";
import { decodeToolChoice, decodeTools, lossOfTools } from "./decode-tools.ts";
import {
  compact,
  dialectId,
  listOf,
  native,
  numberOf,
  objectOf,
  present,
  textOf,
  without,
} from "./read-json.ts";
import { isEffort } from "./reasoning-effort.ts";
import { requestShape } from "./request-shape.ts";
import { settingMembers } from "./setting-members.ts";
import { validateMessages } from "./validate.ts";

/** Members the canonical call has a place for, at least in part; all others are extras. */
const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "system",
  "stream",
  "tools",
  "mcp_servers",
  "tool_choice",
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "metadata",
  "service_tier",
  "thinking",
  "output_config",
  "output_format",
  "anthropic_version",
]);

/** Settings whose own spelling says more than the canonical one; kept for legs of this dialect. */
const spelled = [
  "thinking",
  "output_config",
  "metadata",
  "service_tier",
  "anthropic_version",
] as const;

/** Members of `metadata` and `output_config` that have a canonical place. */
const knownMetadata = new Set(["user_id"]);
const knownOutputConfig = new Set(["format", "effort"]);
const effortOnly = new Set(["effort"]);

/**
 * Reads a request body into the canonical call. The model may be absent: some services take it from the path.
 *
 * Throws `invalid_request` naming the member at fault.
 */
export function decodeRequest(body: JsonObject, operation: Operation): Translated<Call> {
  if (operation !== "chat" && operation !== "count-tokens") {
    throw new GatewayError(
      "operation_not_supported",
      `Cannot read the request: dialect "${dialectId}" has no body for "${operation}"`,
    );
  }
  validateMessages(body["messages"]);
  checkShape(body, requestShape);
  const warnings: Warning[] = [
    ...lossOfConversation(body["system"], body["messages"]),
    ...lossOfTools(body["tools"]),
  ];
  const { system, turns } = decodeConversation(body["system"], body["messages"]);
  const tools = decodeTools(body);
  const config = objectOf(body["output_config"]) ?? {};
  const metadata = objectOf(body["metadata"]) ?? {};
  const tier = textOf(body["service_tier"]);
  const choice = decodeToolChoice(body["tool_choice"], tools);
  const output = decodeOutput(config["format"]) ?? decodeOutput(body["output_format"]);
  const call: Call = {
    operation,
    dialect: dialectId,
    model: textOf(body["model"]) ?? "",
    stream: body["stream"] === true,
    system,
    turns,
    tools,
    ...choice,
    sampling: present({
      temperature: numberOf(body["temperature"]),
      topP: numberOf(body["top_p"]),
      topK: numberOf(body["top_k"]),
      stop: Array.isArray(body["stop_sequences"])
        ? listOf(body["stop_sequences"]).filter((each) => typeof each === "string")
        : undefined,
    }),
    ...present({
      output,
      maxOutputTokens: numberOf(body["max_tokens"]),
      reasoning: decodeReasoning(body["thinking"], config["effort"], warnings),
      user: textOf(metadata["user_id"]),
      // The other families' word for "not the priority tier".
      serviceTier: tier === "standard_only" ? "default" : tier,
    }),
    paths: settingPaths(body, settingMembers),
    extras: {
      ...nonNull(without(body, known)),
      // What is left of members that are only partly known.
      ...(choice.toolChoice ? {} : nonNull(pick(body, ["tool_choice"]))),
      ...(output ? {} : nonNull(pick(body, ["output_format"]))),
      ...rest("output_config", config, output ? knownOutputConfig : effortOnly),
      ...rest("metadata", metadata, knownMetadata),
    },
    native: native(pick(body, spelled)),
  };
  return { value: call, warnings };
}

function decodeOutput(format: Json | undefined): OutputFormat | undefined {
  const schema = objectOf(objectOf(format)?.["schema"]);
  if (!schema || objectOf(format)?.["type"] !== "json_schema") return undefined;
  return { type: "json-schema", schema, strict: true };
}

/** Reads `thinking` and `output_config.effort`. Adaptive thinking without an effort leaves it to the model. */
function decodeReasoning(
  thinking: Json | undefined,
  effort: Json | undefined,
  warnings: Warning[],
): ReasoningSettings | undefined {
  const settings = objectOf(thinking);
  const word = textOf(effort);
  const type = textOf(settings?.["type"]);
  if (type === "disabled") return { effort: "none" };
  if (type !== undefined && type !== "enabled" && type !== "adaptive") {
    warnings.push({
      code: "parameter_dropped",
      path: "/thinking/type",
      action: "dropped",
      detail: `"${type.slice(0, 40)}" is passed on only to legs of this dialect`,
    });
  }
  if (!settings && word === undefined) return undefined;
  // Only what the caller asks for: services that summarise refuse to for organisations they have not verified.
  const summary = settings?.["display"] === "summarized" ? "auto" : undefined;
  if (word !== undefined && word !== "max" && !isEffort(word)) {
    warnings.push({
      code: "reasoning_effort_approximated",
      path: "/output_config/effort",
      action: "approximated",
      detail: `"${word.slice(0, 40)}" is not known and is passed on only to legs of this dialect`,
    });
  }
  return present({
    // The highest effort has a name of its own here.
    effort: word === "max" ? "xhigh" as const : isEffort(word) ? word : undefined,
    budgetTokens: numberOf(settings?.["budget_tokens"]),
    summary,
  });
}

function rest(name: string, value: JsonObject, members: ReadonlySet<string>): Record<string, Json> {
  const left = nonNull(without(value, members));
  return Object.keys(left).length === 0 ? {} : { [name]: left };
}

function nonNull(object: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function pick(body: JsonObject, names: readonly string[]): Record<string, Json> {
  return compact(Object.fromEntries(names.map((name) => [name, body[name]])));
}
