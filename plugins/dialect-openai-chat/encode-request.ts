import {
  type Call,
  type EncodedRequest,
  type EncodeOptions,
  GatewayError,
  type Json,
  type JsonObject,
  type OutputFormat,
  type Warning,
} from "@vmx/core/contract";
import { callersPath, createToolNames, mergeObjects, settingPath } from "@vmx/core/kit";
import { encodeInput } from "./embeddings.ts";
import type { EncodeContext } from "./encode-content.ts";
import { encodeMessages } from "./encode-messages.ts";
import { encodeTools } from "./encode-tools.ts";
import { type ChatProfile, readProfile } from "./profile.ts";
import { compact, dialectId, pointer } from "./read-json.ts";
import { effortOf } from "./reasoning-effort.ts";
import { settingMembers } from "./setting-members.ts";

/**
 * Writes a call as a request body. The profile's members are those of `ChatProfile`.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 */
export function encodeRequest(call: Call, options: EncodeOptions): EncodedRequest {
  const warnings: Warning[] = [];
  const profile = readProfile(options.profile);
  const own = call.dialect === dialectId;
  for (const name of own ? [] : Object.keys(call.extras)) {
    // Services of this dialect cache by themselves.
    if (name !== "cache_control") warnings.push(dropped(pointer(name)));
  }
  // Options of a stream are written with the stream, or refused by the service.
  const { stream_options: _options, ...kept } = call.extras;
  const extras = !own ? {} : call.stream ? kept : call.extras;
  const names = createToolNames(own ? [] : toolNames(call), nameAlphabet);
  // A call of this dialect keeps its names: the service it was written for knows them.
  const toWire = own ? (name: string) => name : names.toWire;
  const context = { profile, family: options.family, warnings, toWire };
  const written = call.operation === "embeddings" ? encodeInput(call) : encodeChat(call, context);
  const body = compact({
    ...(call.operation === "chat" ? profile.members : {}),
    ...written,
    ...without(extras, written),
    model: options.model,
  });
  for (const name of profile.strip) {
    if (body[name] === undefined) continue;
    delete body[name];
    const path = callersPath(call, name, settingMembers);
    if (path !== undefined) warnings.push(dropped(path));
  }
  return { value: body, warnings, ...(names.changed ? { toolNames: names.changed } : {}) };
}

/** Names of tools (OpenAI API reference, `FunctionObject`). */
const nameAlphabet = { forbidden: /[^a-zA-Z0-9_-]/g, maxLength: 64 };

function toolNames(call: Call): string[] {
  const called = call.turns.flatMap(({ parts }) => parts)
    .flatMap((part) => part.type === "tool-call" ? [part.name] : []);
  return [...call.tools.flatMap((tool) => tool.type === "function" ? [tool.name] : []), ...called];
}

function encodeChat(call: Call, context: EncodeContext): JsonObject {
  const { sampling } = call;
  const { profile, warnings } = context;
  if (profile.singleAnswer && (sampling.n ?? 1) > 1) {
    throw new GatewayError(
      "unsupported_content",
      `Cannot write the request: the provider gives one answer, not n = ${sampling.n}`,
      { param: "n" },
    );
  }
  if (sampling.topK !== undefined && profile.topKField === undefined) {
    warnings.push(dropped(settingPath(call, "topK")));
  }
  if (call.dialect !== dialectId && call.reasoning?.summary !== undefined) {
    warnings.push({
      ...dropped(settingPath(call, "reasoningSummary")),
      detail: "Whether reasoning is told is up to the service here",
    });
  }
  return {
    messages: encodeMessages(call, context),
    ...(call.stream ? { stream: true, ...streamOptions(call, profile) } : {}),
    ...encodeTools(call, context),
    parallel_tool_calls: call.parallelToolCalls,
    response_format: call.output && encodeOutput(call.output),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    ...(profile.topKField === undefined ? {} : { [profile.topKField]: sampling.topK }),
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    logit_bias: sampling.logitBias,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs,
    n: sampling.n,
    stop: sampling.stop && [...sampling.stop],
    [profile.maxTokensField]: call.maxOutputTokens,
    // An effort without a canonical word is among the extras and says more.
    reasoning_effort: call.extras["reasoning_effort"] === undefined
      ? encodeEffort(call, context)
      : undefined,
    [profile.userField]: call.user,
    service_tier: call.serviceTier,
    metadata: call.metadata,
  };
}

/** The effort in the model's own word. Not to reason is no loss where the model has no word for it. */
function encodeEffort(call: Call, { profile, warnings }: EncodeContext): string | undefined {
  const effort = call.reasoning && effortOf(call.reasoning);
  const word = effort === undefined ? undefined : profile.efforts[effort];
  if (word === undefined || word === effort) return effort;
  if (word === null) {
    if (effort !== "none") warnings.push(dropped(settingPath(call, "reasoning")));
    return undefined;
  }
  warnings.push({
    code: "reasoning_effort_approximated",
    path: settingPath(call, "reasoning"),
    action: "approximated",
    detail: `${effort} is passed on as ${word}`,
  });
  return word;
}

/** Usage is always asked for; the caller's other options stay. */
function streamOptions(call: Call, profile: ChatProfile): JsonObject {
  if (!profile.streamUsage) return {};
  const asked = call.dialect === dialectId ? call.extras["stream_options"] : undefined;
  const kept = typeof asked === "object" && !Array.isArray(asked) ? asked as JsonObject : {};
  return { stream_options: mergeObjects(kept, { include_usage: true }) };
}

function encodeOutput(output: OutputFormat): JsonObject {
  switch (output.type) {
    case "text":
      return { type: "text" };
    case "json":
      return { type: "json_object" };
    case "json-schema":
      return {
        type: "json_schema",
        json_schema: compact({
          // The name is required here and optional elsewhere.
          name: output.name ?? "answer",
          description: output.description,
          schema: output.schema,
          strict: output.strict,
        }),
      };
  }
}

function without(extras: JsonObject, written: JsonObject): Record<string, Json | undefined> {
  return Object.fromEntries(
    Object.entries(extras).filter(([name]) => written[name] === undefined),
  );
}

function dropped(path: string): Warning {
  return { code: "parameter_dropped", path, action: "dropped" };
}
