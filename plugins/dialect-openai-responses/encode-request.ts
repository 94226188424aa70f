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
import { callersPath, createToolNames, type NameAlphabet, settingPath } from "@vmx/core/kit";
import { compact, objectOf, pointer, textOf } from "@vmx/dialect-openai-chat/read-json";
import { effortOf } from "@vmx/dialect-openai-chat/reasoning-effort";
import { isQuiet } from "./decode-request.ts";
import { encodeInput } from "./encode-input.ts";
import { encodeTools } from "./encode-tools.ts";
import { dialectId, omit, ownNative } from "./native.ts";
import { readProfile, type ResponsesProfile } from "./profile.ts";
import { settingMembers } from "./setting-members.ts";

/**
 * Extras of Chat Completions that mean the same here. `stream_options` asks for usage, which is always reported;
 * the other two have places of their own.
 */
const sharedWithChat: ReadonlySet<string> = new Set([
  "store",
  "prompt_cache_key",
  "prompt_cache_retention",
  "user",
  "stream_options",
  "verbosity",
  "reasoning_effort",
]);

/**
 * Writes a call as a request body. The profile's members are those of `ResponsesProfile`. Calls of other dialects
 * are not stored.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express.
 */
export function encodeRequest(call: Call, options: EncodeOptions): EncodedRequest {
  if (call.operation !== "chat") {
    throw new GatewayError(
      "operation_not_supported",
      `Cannot write the request: dialect "${dialectId}" has no operation "${call.operation}"`,
    );
  }
  const warnings: Warning[] = [];
  const profile = readProfile(options.profile);
  const own = call.dialect === dialectId ? ownNative(call) ?? {} : undefined;
  const names = createToolNames(own ? [] : toolNames(call), nameAlphabet);
  const context = { family: options.family, names, warnings };
  const { instructions, input } = encodeInput(call, context);
  const body = compact({
    model: options.model,
    instructions,
    input,
    stream: call.stream || undefined,
    ...encodeTools(call, context),
    parallel_tool_calls: call.parallelToolCalls,
    ...encodeSettings(call, own, warnings),
    ...(own ? ownSettings(call, own) : foreignSettings(call, profile, warnings)),
  });
  for (const [name, value] of Object.entries(own ?? {})) {
    if (value === undefined || body[name] !== undefined) continue;
    if (value === null || isQuiet(name, value)) body[name] = value;
  }
  for (const name of profile.strip) {
    if (body[name] === undefined) continue;
    delete body[name];
    const path = callersPath(call, name, settingMembers);
    if (path !== undefined) warnings.push(dropped(path));
  }
  return { value: body, warnings, ...(names.changed ? { toolNames: names.changed } : {}) };
}

/** Names of tools (OpenAI API reference, `FunctionToolParam`). */
const nameAlphabet: NameAlphabet = { forbidden: /[^a-zA-Z0-9_-]/g, maxLength: 128 };

function toolNames(call: Call): string[] {
  const called = call.turns.flatMap(({ parts }) => parts)
    .flatMap((part) => part.type === "tool-call" ? [part.name] : []);
  return [...call.tools.flatMap((tool) => tool.type === "function" ? [tool.name] : []), ...called];
}

/** Settings the dialect has no member for. */
const unknownSettings = [
  "topK",
  "frequencyPenalty",
  "presencePenalty",
  "seed",
  "logitBias",
  "stop",
] as const;

function encodeSettings(
  call: Call,
  own: JsonObject | undefined,
  warnings: Warning[],
): JsonObject {
  const { sampling } = call;
  if ((sampling.n ?? 1) > 1) {
    throw new GatewayError(
      "unsupported_content",
      `Cannot write the request: the dialect "${dialectId}" gives one answer, not n = ${sampling.n}`,
      { param: "n" },
    );
  }
  for (const setting of unknownSettings) {
    const value = sampling[setting];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    warnings.push(dropped(settingPath(call, setting)));
  }
  const text = encodeText(call);
  return {
    text: Object.keys(text).length === 0 ? undefined : text,
    reasoning: encodeReasoning(call, objectOf(own?.["reasoning"])),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_logprobs: sampling.topLogprobs || undefined,
    max_output_tokens: call.maxOutputTokens,
    service_tier: call.serviceTier,
    metadata: call.metadata,
  };
}

/** Members as the caller of this dialect spelled them. */
function ownSettings(call: Call, own: JsonObject): JsonObject {
  const spelled = own["safety_identifier"] === undefined && own["user"] !== undefined
    ? "user"
    : "safety_identifier";
  const extras = omit(call.extras, "text", "reasoning");
  return {
    [spelled]: call.user,
    ...extras,
    include: own["include"] ?? extras["include"],
  };
}

/** What a caller of another dialect gets; extras of his that mean nothing here are lost. */
function foreignSettings(
  call: Call,
  profile: ResponsesProfile,
  warnings: Warning[],
): JsonObject {
  const siblings = call.dialect === "openai-chat" ? sharedWithChat : new Set<string>();
  for (const name of Object.keys(call.extras)) {
    // Services of this dialect cache by themselves.
    if (name === "cache_control" || siblings.has(name)) continue;
    warnings.push(dropped(pointer(name)));
  }
  const shared = Object.fromEntries(
    Object.entries(call.extras).filter(([name]) => siblings.has(name)),
  );
  const include: string[] = [];
  const effort = call.reasoning && effortOf(call.reasoning);
  // Models that do not reason refuse to be asked for it.
  if (effort !== undefined && effort !== "none" && profile.encryptedReasoning) {
    include.push("reasoning.encrypted_content");
  }
  if (call.sampling.logprobs) include.push("message.output_text.logprobs");
  return {
    [profile.userField]: call.user,
    store: false,
    include: include.length === 0 ? undefined : include,
    ...omit(shared, "stream_options", "verbosity", "reasoning_effort"),
  };
}

function encodeText(call: Call): JsonObject {
  const kept = call.dialect === dialectId ? objectOf(call.extras["text"]) : undefined;
  const verbosity = call.dialect === "openai-chat" ? textOf(call.extras["verbosity"]) : undefined;
  return compact({
    verbosity,
    ...kept,
    format: call.output ? encodeFormat(call.output) : kept?.["format"],
  });
}

function encodeFormat(output: OutputFormat): JsonObject {
  switch (output.type) {
    case "text":
      return { type: "text" };
    case "json":
      return { type: "json_object" };
    case "json-schema":
      return compact({
        type: "json_schema",
        // The name is required here and optional elsewhere.
        name: output.name ?? "answer",
        description: output.description,
        schema: output.schema,
        strict: output.strict,
      });
  }
}

/** An effort without a canonical word is among the extras and says more. */
function encodeReasoning(call: Call, original: JsonObject | undefined): JsonObject | undefined {
  const settings = call.reasoning ?? {};
  const kept = call.dialect === dialectId ? objectOf(call.extras["reasoning"]) : undefined;
  const chatEffort = call.dialect === "openai-chat" ? call.extras["reasoning_effort"] : undefined;
  const oldSummary = original?.["summary"] === undefined &&
    original?.["generate_summary"] !== undefined;
  const reasoning = compact({
    ...Object.fromEntries(
      Object.entries(original ?? {}).filter(([, value]) => value === null),
    ),
    effort: chatEffort ?? effortOf(settings) ?? nullIn(original, "effort"),
    [oldSummary ? "generate_summary" : "summary"]: settings.summary ?? nullIn(
      original,
      oldSummary ? "generate_summary" : "summary",
    ),
    ...kept,
  });
  return Object.keys(reasoning).length === 0 ? undefined : reasoning;
}

function nullIn(original: JsonObject | undefined, name: string): Json | undefined {
  return original?.[name] === null ? null : undefined;
}

function dropped(path: string): Warning {
  return { code: "parameter_dropped", path, action: "dropped" };
}
