import {
  type Call,
  type EncodedRequest,
  type EncodeOptions,
  GatewayError,
  type Json,
  type JsonObject,
  type OutputFormat,
} from "@vmx/core/contract";
import { callersPath, createToolNames, settingPath } from "@vmx/core/kit";
import { createWarnings, dropped, type EncodeContext, nameAlphabet } from "./encode-context.ts";
import { answersUnsignedCalls, encodeConversation } from "./encode-messages.ts";
import { encodeSampling } from "./encode-sampling.ts";
import { encodeThinking } from "./encode-thinking.ts";
import { encodeToolChoice, encodeTools } from "./encode-tools.ts";
import { writeOutputSchema } from "./output-schema.ts";
import { readProfile } from "./profile.ts";
import { compact, dialectId, objectOf, pointer, without } from "./read-json.ts";
import { settingMembers } from "./setting-members.ts";
import { writeAnswerTool } from "./structured-output.ts";

/** Members of other dialects' bodies that change nothing here, or nothing with the value given. */
const harmless: Readonly<Record<string, readonly Json[] | "any">> = {
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

/** Members that govern an answer and have no place in a token count. */
const answerMembers = new Set([
  "max_tokens",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "metadata",
  "service_tier",
]);

/** Members whose extras are restored with their native spelling. */
const spelled = new Set(["output_config", "metadata"]);

/**
 * Writes a call as a request body. The profile's members are those of `MessagesProfile`.
 *
 * Throws `unsupported_content` or `state_not_portable` for what the dialect cannot express, and `invalid_request`
 * for a tool choice that names an absent tool.
 */
export function encodeRequest(call: Call, options: EncodeOptions): EncodedRequest {
  if ((call.sampling.n ?? 1) > 1) {
    throw new GatewayError(
      "unsupported_content",
      `Cannot write the request: the provider gives one answer, not n = ${call.sampling.n}`,
      { param: "n" },
    );
  }
  const { list: warnings, warn } = createWarnings();
  const names = createToolNames(toolNames(call), nameAlphabet);
  const profile = readProfile(options.profile);
  const context: EncodeContext = { profile, family: options.family, names, warn };
  const own = call.dialect === dialectId;
  const { system, messages } = encodeConversation(call, context);
  const settings = own ? ownSettings(call, context) : foreignSettings(call, messages, context);
  const head = profile.bodyVersion === undefined
    ? { model: options.model, stream: call.stream || undefined }
    : { anthropic_version: profile.bodyVersion };
  const written: JsonObject = {
    ...head,
    ...settings,
    ...(own ? without(call.extras, spelled) : {}),
    messages,
    system,
  };
  const body = call.operation === "count-tokens"
    ? without(written, answerMembers)
    : compact(written);
  for (const name of profile.strip) {
    if (body[name] === undefined) continue;
    delete body[name];
    const path = callersPath(call, name, settingMembers);
    if (path !== undefined) warn(dropped(path));
  }
  return {
    value: body,
    warnings,
    ...(names.changed ? { toolNames: names.changed } : {}),
  };
}

function toolNames(call: Call): string[] {
  const names = call.tools.map((tool) => tool.type === "function" ? tool.name : undefined);
  const called = call.turns.flatMap(({ parts }) => parts)
    .map((part) => part.type === "tool-call" ? part.name : undefined);
  return [...names, ...called].filter((name) => name !== undefined);
}

/** The settings of a call that came in this dialect: as they were spelled. */
function ownSettings(call: Call, context: EncodeContext): JsonObject {
  const kept = objectOf(call.native?.value) ?? {};
  const { anthropic_version: _version, ...spelling } = kept;
  const { tools, choice, servers } = encodeTools(call, context);
  const { format, ...config } = objectOf(kept["output_config"]) ?? {};
  const type = objectOf(kept["thinking"])?.["type"];
  const output = encodeOutput(call, tools, context, type !== undefined && type !== "disabled");
  return {
    ...spelling,
    ...encodeSampling(call, { thinking: false }, context),
    output_config: nonEmpty({
      ...config,
      // A form without a canonical word.
      ...(call.output || format === undefined ? {} : { format }),
      ...objectOf(output.members["output_config"]),
    }),
    output_format: output.members["output_format"],
    max_tokens: call.maxOutputTokens ?? encodeThinking(call, noObstacles, context).maxTokens,
    tools: tools.length > 0 ? tools : undefined,
    mcp_servers: servers,
    tool_choice: output.choice ?? encodeToolChoice(choice, call, context),
  };
}

const noObstacles = { forced: false, unsigned: false };

/** The settings of a call in canonical words. */
function foreignSettings(
  call: Call,
  messages: readonly JsonObject[],
  context: EncodeContext,
): JsonObject {
  for (const [name, value] of Object.entries(call.extras)) {
    const values = Object.hasOwn(harmless, name) ? harmless[name] : undefined;
    const silent = values === "any" ||
      values?.some((each) => JSON.stringify(each) === JSON.stringify(value));
    if (!silent) context.warn(dropped(pointer(name)));
  }
  if (call.metadata && Object.keys(call.metadata).length > 0) {
    context.warn(dropped(settingPath(call, "metadata")));
  }
  const { tools, choice, servers } = encodeTools(call, context);
  const thinks = call.reasoning !== undefined && call.reasoning.effort !== "none" &&
    call.reasoning.budgetTokens !== 0 && context.profile.thinking !== "none";
  const output = encodeOutput(call, tools, context, thinks || !context.profile.forcedToolUse);
  const toolChoice = output.choice ??
    (tools.length > 0 ? encodeToolChoice(choice, call, context) : undefined);
  const thinking = encodeThinking(call, {
    forced: toolChoice?.["type"] === "any" || toolChoice?.["type"] === "tool",
    unsigned: answersUnsignedCalls(messages),
  }, context);
  const config = objectOf(output.members["output_config"]);
  const on = thinking.thinking !== undefined && thinking.thinking["type"] !== "disabled";
  return {
    ...output.members,
    ...encodeSampling(call, { thinking: on }, context),
    output_config: nonEmpty(compact({ ...config, effort: thinking.effort })),
    max_tokens: thinking.maxTokens,
    thinking: thinking.thinking,
    tools: tools.length > 0 ? tools : undefined,
    mcp_servers: servers,
    tool_choice: toolChoice,
    metadata: call.user === undefined ? undefined : { user_id: call.user },
    service_tier: encodeTier(call, context),
  };
}

interface EncodedOutput {
  readonly members: JsonObject;
  /** The choice that makes the model answer through the stand-in tool. */
  readonly choice?: JsonObject;
}

/**
 * Writes the form the answer must have: natively where the model has it, else as a forced tool, added to `tools`.
 * Thinking excludes forcing, so beside it the model is only asked.
 */
function encodeOutput(
  call: Call,
  tools: JsonObject[],
  context: EncodeContext,
  thinks = false,
): EncodedOutput {
  const { output } = call;
  if (!output || output.type === "text") return { members: {} };
  const { structuredOutput } = context.profile;
  if (output.type === "json-schema" && structuredOutput !== undefined) {
    const schema = call.dialect === dialectId
      ? output.schema
      : writeOutputSchema(described(output), settingPath(call, "outputSchema"), context.warn);
    const format = { type: "json_schema", schema };
    return {
      members: structuredOutput === "output_config"
        ? { output_config: { format } }
        : { output_format: format },
    };
  }
  const { toolChoice } = call;
  const calls = toolChoice?.type === "required" || toolChoice?.type === "tool" ||
    (toolChoice?.type === "allowed" && toolChoice.mode === "required");
  // The answer will be a call of the caller's own tools, which no form applies to.
  if (calls && tools.length > 0) {
    context.warn(dropped(settingPath(call, "output"), "The answer has to be a tool call"));
    return { members: {} };
  }
  const tool = writeAnswerTool(output);
  const others = tools.length > 0 && toolChoice?.type !== "none";
  tools.push(tool);
  context.warn({
    code: "structured_output_emulated",
    path: settingPath(call, "output"),
    action: "approximated",
    detail: thinks
      ? "A tool stands in for it; beside thinking its call cannot be forced"
      : "A forced tool stands in for it",
  });
  const single = { disable_parallel_tool_use: true };
  if (thinks) return { members: {}, choice: { type: "auto", ...single } };
  return {
    members: {},
    choice: others ? { type: "any", ...single } : { type: "tool", name: tool["name"], ...single },
  };
}

/** The schema with the description that stands beside it elsewhere. */
function described(output: Extract<OutputFormat, { type: "json-schema" }>): JsonObject {
  const { description, schema } = output;
  return description === undefined ? schema : { description, ...schema };
}

/** `auto` may use the priority tier, `standard_only` may not. */
function encodeTier(call: Call, context: EncodeContext): string | undefined {
  const { serviceTier: tier } = call;
  if (tier === undefined || tier === "auto") return tier;
  if (tier === "default" || tier === "standard") return "standard_only";
  context.warn(dropped(settingPath(call, "serviceTier"), tier));
  return undefined;
}

function nonEmpty(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}
