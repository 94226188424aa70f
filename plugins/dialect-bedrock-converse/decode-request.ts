import {
  type Call,
  GatewayError,
  type Json,
  type JsonObject,
  type Operation,
  type OutputFormat,
  type Sampling,
  type Translated,
  type Warning,
} from "@vmx/core/contract";
import { isObject } from "@vmx/core/kit";
import { decodeConversation } from "./decode-messages.ts";
import { decodeToolChoice, decodeTools } from "./decode-tools.ts";
import { decodeInput } from "./embeddings.ts";
import {
  compact,
  dialectId,
  filled,
  flagOf,
  native,
  numberOf,
  objectOf,
  present,
  textOf,
  textsOf,
  without,
} from "./read-json.ts";
import { readReasoning, reasoningMembers } from "./reasoning.ts";

/** Members whose own spelling says more than the canonical one; kept for legs of this dialect. */
const spelled = [
  "inferenceConfig",
  "additionalModelRequestFields",
  "outputConfig",
  "serviceTier",
  "requestMetadata",
] as const;

/**
 * Reads a request body into the canonical call. Model and stream stand in the path here; `modelId` is accepted as the
 * service's own SDKs spell it.
 *
 * Throws `invalid_request` naming the member at fault, `operation_not_supported`.
 */
export function decodeRequest(body: JsonObject, operation: Operation): Translated<Call> {
  if (operation === "embeddings") return { value: decodeInput(body), warnings: [] };
  if (operation !== "chat") {
    throw new GatewayError(
      "operation_not_supported",
      `Cannot read the request: dialect "${dialectId}" has no operation "${operation}"`,
    );
  }
  const warnings: Warning[] = [];
  const { system, turns } = decodeConversation(body["system"], body["messages"], warnings);
  const toolConfig = objectOf(body["toolConfig"]) ?? {};
  const tools = decodeTools(toolConfig["tools"], warnings);
  const toolChoice = decodeToolChoice(toolConfig["toolChoice"], tools);
  const inference = objectOf(body["inferenceConfig"]) ?? {};
  const fields = objectOf(body["additionalModelRequestFields"]) ?? {};
  const outputConfig = objectOf(body["outputConfig"]);
  const output = decodeOutput(objectOf(outputConfig?.["textFormat"]));
  const call: Call = {
    operation,
    dialect: dialectId,
    model: textOf(body["modelId"]) ?? "",
    stream: flagOf(body["stream"]) ?? false,
    system,
    turns,
    tools,
    sampling: decodeSampling(inference, fields),
    ...present({
      toolChoice,
      output,
      parallelToolCalls: decodeParallel(fields),
      maxOutputTokens: numberOf(inference["maxTokens"]),
      reasoning: readReasoning(fields, outputConfig),
      serviceTier: textOf(objectOf(body["serviceTier"])?.["type"]),
      metadata: objectOf(body["requestMetadata"]),
    }),
    extras: compact({
      ...without(
        body,
        ...spelled,
        "modelId",
        "stream",
        "messages",
        "system",
        "toolConfig",
      ),
      inferenceConfig: filled(
        without(inference, "maxTokens", "temperature", "topP", "stopSequences"),
      ),
      additionalModelRequestFields: filled(
        without(fields, ...reasoningMembers, "top_k", "tool_choice"),
      ),
      outputConfig: output || !outputConfig ? undefined : filled(without(outputConfig, "effort")),
    }),
    native: native(compact(Object.fromEntries(spelled.map((name) => [name, body[name]])))),
  };
  return { value: call, warnings };
}

function decodeSampling(inference: JsonObject, fields: JsonObject): Sampling {
  const stop = textsOf(inference["stopSequences"]);
  return present({
    temperature: numberOf(inference["temperature"]),
    topP: numberOf(inference["topP"]),
    topK: numberOf(fields["top_k"]) ?? numberOf(objectOf(fields["inferenceConfig"])?.["topK"]),
    stop: stop.length === 0 ? undefined : stop,
  });
}

function decodeParallel(fields: JsonObject): boolean | undefined {
  const single = flagOf(objectOf(fields["tool_choice"])?.["disable_parallel_tool_use"]);
  return single === undefined ? undefined : !single;
}

function decodeOutput(format: JsonObject | undefined): OutputFormat | undefined {
  const own = objectOf(objectOf(format?.["structure"])?.["jsonSchema"]);
  const schema = own && parseSchema(own["schema"]);
  if (!own || !schema) return undefined;
  return {
    type: "json-schema",
    ...present({ name: textOf(own["name"]), description: textOf(own["description"]) }),
    schema,
    strict: true,
  };
}

/** Schemas are JSON text here. */
function parseSchema(schema: Json | undefined): JsonObject | undefined {
  if (typeof schema !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(schema);
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: the service judges it, other dialects cannot use it.
    return undefined;
  }
}
