import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GatewayError, type JsonObject } from "../contract/index.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/*
 * Nothing a caller writes is dropped in silence. For every kind of part, item and tool of the official clients' types,
 * and for every setting, each value of the body either stands in what another dialect's leg is sent, or a warning
 * leads to it, or the leg refuses. The tables are typed by the clients: a kind they add is missed here by `tsc`.
 */

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const targets = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini-generate-content",
  "bedrock-converse",
];

/** The least a kind takes that only its own family has: the leg must refuse it. */
const refused = "refused";
type Table<Kind extends string> = Readonly<Record<Kind, object | typeof refused>>;

const png = Buffer.from("mark-bytes-of-an-image").toString("base64");
const pdf = Buffer.from("mark-bytes-of-a-document").toString("base64");
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

/** The types of what is still tried out hold all others. */
type Block = Anthropic.Beta.BetaContentBlockParam;

const blocks: Table<Block["type"]> = {
  text: {
    text: "mark-text",
    citations: [{
      type: "char_location",
      cited_text: "mark-cited",
      document_index: 1001,
      document_title: "mark-title",
      start_char_index: 1002,
      end_char_index: 1003,
    }],
  } satisfies Omit<Anthropic.TextBlockParam, "type">,
  image: {
    source: { type: "base64", media_type: "image/png", data: png },
    transformations: { mark: "mark-transformation" } as
      & Anthropic.ImageBlockParam["transformations"]
      & object,
  } satisfies Omit<Anthropic.ImageBlockParam, "type">,
  document: {
    source: { type: "base64", media_type: "application/pdf", data: pdf },
    title: "mark-title",
    context: "mark-context",
    citations: { enabled: true },
  } satisfies Omit<Anthropic.DocumentBlockParam, "type">,
  search_result: {
    content: [{ type: "text", text: "mark-found" }],
    source: "mark-source",
    title: "mark-title",
    citations: { enabled: true },
  } satisfies Omit<Anthropic.SearchResultBlockParam, "type">,
  thinking: { thinking: "mark-thought", signature: "mark-signature" },
  redacted_thinking: { data: "mark-data" },
  tool_use: {
    id: "mark-id",
    name: "look",
    input: { city: "mark-city" },
    caller: { type: "code_execution_20260120", tool_id: "mark-tool" },
    toolset_name: "mark-toolset",
  } satisfies Omit<Anthropic.ToolUseBlockParam, "type">,
  tool_result: {
    tool_use_id: "mark-id",
    content: [
      { type: "text", text: "mark-result" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
      { type: "search_result", content: [], source: "mark-source", title: "mark-title" },
    ],
    is_error: true,
    toolset_name: "mark-toolset",
  } satisfies Omit<Anthropic.ToolResultBlockParam, "type">,
  server_tool_use: refused,
  web_search_tool_result: refused,
  web_fetch_tool_result: refused,
  code_execution_tool_result: refused,
  bash_code_execution_tool_result: refused,
  text_editor_code_execution_tool_result: refused,
  tool_search_tool_result: refused,
  container_upload: refused,
  advisor_tool_result: refused,
  mcp_tool_use: refused,
  mcp_tool_result: refused,
  mcp_tool_listing: refused,
  compaction: refused,
  fallback: refused,
  tool_addition: refused,
  tool_removal: refused,
};

type MessagesTool = NonNullable<Anthropic.Beta.BetaToolUnion["type"]>;
const search = {
  name: "web_search",
  allowed_callers: ["code_execution_20260120"],
  allowed_domains: ["mark-allowed"],
  defer_loading: true,
  max_uses: 1001,
  strict: true,
  user_location: { type: "approximate", city: "mark-city", country: "DE" },
};
const messagesTools: Table<MessagesTool> = {
  custom: {
    name: "look",
    description: "mark-description",
    input_schema: schema as Anthropic.Tool.InputSchema,
    allowed_callers: ["code_execution_20260120"],
    defer_loading: true,
    eager_input_streaming: true,
    input_examples: [{ city: "mark-example" }],
    strict: true,
  } satisfies Anthropic.Tool,
  web_search_20250305: search,
  web_search_20260209: search,
  web_search_20260318: { ...search, response_inclusion: "excluded" },
  advisor_20260301: refused,
  bash_20241022: refused,
  bash_20250124: refused,
  computer_20241022: refused,
  computer_20250124: refused,
  computer_20251124: refused,
  mcp_toolset: refused,
  text_editor_20241022: refused,
  code_execution_20250522: refused,
  code_execution_20250825: refused,
  code_execution_20260120: refused,
  code_execution_20260521: refused,
  browser_toolset_20260801: refused,
  memory_20250818: refused,
  computer_toolset_20260801: refused,
  text_editor_20250124: refused,
  text_editor_20250429: refused,
  text_editor_20250728: refused,
  web_fetch_20250910: refused,
  web_fetch_20260209: refused,
  web_fetch_20260309: refused,
  web_fetch_20260318: refused,
  tool_search_tool_bm25_20251119: refused,
  tool_search_tool_bm25: refused,
  tool_search_tool_regex_20251119: refused,
  tool_search_tool_regex: refused,
};

/** What the service still takes of those models that sample. */
type Sampled = "temperature" | "top_p" | "top_k";
/** Sent as a header, and refused as a whole: tools of a remote server. */
type Apart = "betas" | "mcp_servers";
type MessagesBody = Anthropic.Beta.MessageCreateParamsNonStreaming;
const messagesBody: Readonly<Record<Exclude<keyof MessagesBody, Apart> | Sampled, unknown>> = {
  model: "m",
  messages: [{ role: "user", content: "mark-text" }],
  system: [{ type: "text", text: "mark-system" }],
  stream: false,
  max_tokens: 5001,
  temperature: 0.501,
  top_p: 0.701,
  top_k: 17,
  billing_policy: { mark: "mark-billing" },
  cache_control: { type: "ephemeral" },
  compaction: { mark: "mark-compaction" },
  container: "mark-container",
  context_management: { edits: [{ type: "mark-edit" }] },
  fallback_credit_token: "mark-credit",
  fallbacks: [{ model: "mark-fallback" }],
  output_format: { type: "json_schema", schema },
  thread: { mark: "mark-thread" },
  diagnostics: { previous_message_id: "mark-diagnostics" },
  inference_geo: "mark-geo",
  metadata: { user_id: "mark-user" },
  output_config: { effort: "high", format: { type: "json_schema", schema } },
  service_tier: "auto",
  speed: "fast",
  stop_sequences: ["mark-stop"],
  thinking: { type: "between_tools" },
  tool_choice: { type: "any", disable_parallel_tool_use: true },
  tools: [{ name: "look", input_schema: schema }],
  user_profile_id: "mark-profile",
  workspace_id: "mark-workspace",
};

type Item = OpenAI.Responses.ResponseInputItem;
type ItemKind = Exclude<NonNullable<Item["type"]>, "item_reference">;
const items: Table<ItemKind> = {
  message: {
    role: "assistant",
    id: "msg_1",
    status: "completed",
    phase: "commentary",
    content: [{
      type: "output_text",
      text: "mark-text",
      annotations: [{
        type: "url_citation",
        url: "mark-url",
        title: "mark-title",
        start_index: 1001,
        end_index: 1002,
      }],
    }],
  } satisfies Omit<OpenAI.Responses.ResponseOutputMessage, "type">,
  reasoning: {
    id: "rs_1",
    summary: [{ type: "summary_text", text: "mark-summary" }],
    encrypted_content: "mark-encrypted",
  } satisfies Omit<OpenAI.Responses.ResponseReasoningItem, "type">,
  function_call: {
    call_id: "mark-id",
    name: "look",
    arguments: '{"city":"mark-city"}',
    async: true,
    caller: { type: "program", caller_id: "mark-caller" },
    namespace: "mark-namespace",
  } satisfies Omit<OpenAI.Responses.ResponseFunctionToolCall, "type">,
  function_call_output: {
    call_id: "mark-id",
    output: [
      { type: "input_text", text: "mark-result" },
      { type: "input_image", image_url: `data:image/png;base64,${png}`, detail: "low" },
    ],
    namespace: "mark-namespace",
  },
  file_search_call: refused,
  computer_call: refused,
  computer_call_output: refused,
  web_search_call: refused,
  tool_search_call: refused,
  tool_search_output: refused,
  additional_tools: refused,
  configuration_update: refused,
  compaction: refused,
  compaction_trigger: refused,
  image_generation_call: refused,
  code_interpreter_call: refused,
  local_shell_call: refused,
  local_shell_call_output: refused,
  shell_call: refused,
  shell_call_output: refused,
  apply_patch_call: refused,
  apply_patch_call_output: refused,
  mcp_list_tools: refused,
  mcp_approval_request: refused,
  mcp_approval_response: refused,
  mcp_call: refused,
  custom_tool_call: refused,
  custom_tool_call_output: refused,
  program: refused,
  program_output: refused,
};

const inputParts: Table<OpenAI.Responses.ResponseInputContent["type"]> = {
  input_text: { text: "mark-text" },
  input_image: { image_url: `data:image/png;base64,${png}`, detail: "low" },
  input_file: {
    file_data: `data:application/pdf;base64,${pdf}`,
    filename: "mark-name",
    detail: "low",
  } satisfies Omit<OpenAI.Responses.ResponseInputFile, "type">,
};

const webSearch = {
  search_context_size: "high",
  external_web_access: false,
  filters: { allowed_domains: ["mark-allowed"] },
  user_location: { type: "approximate", city: "mark-city" },
} satisfies Omit<OpenAI.Responses.WebSearchTool, "type">;
const responsesTools: Table<OpenAI.Responses.Tool["type"]> = {
  function: {
    name: "look",
    description: "mark-description",
    parameters: schema,
    strict: true,
    allowed_callers: ["programmatic"],
    async: true,
    defer_loading: true,
    output_schema: { mark: "mark-output" },
  } satisfies Omit<OpenAI.Responses.FunctionTool, "type">,
  web_search: webSearch,
  web_search_2025_08_26: webSearch,
  web_search_preview: { search_context_size: "high", search_content_types: ["text", "image"] },
  web_search_preview_2025_03_11: { search_context_size: "high" },
  file_search: refused,
  computer: refused,
  computer_use_preview: refused,
  mcp: refused,
  code_interpreter: refused,
  programmatic_tool_calling: refused,
  image_generation: refused,
  local_shell: refused,
  shell: refused,
  custom: refused,
  namespace: refused,
  tool_search: refused,
  apply_patch: refused,
};

/** Members that name what is stored elsewhere are refused before a body is read, and so is work in the background. */
type Stateful = "background" | "conversation" | "previous_response_id" | "prompt";
type ResponsesBody = OpenAI.Responses.ResponseCreateParamsNonStreaming;
const responsesBody: Readonly<Record<Exclude<keyof ResponsesBody, Stateful>, unknown>> = {
  model: "m",
  input: "mark-text",
  instructions: "mark-system",
  stream: false,
  access_programs: { mark: "mark-programs" },
  context_management: [{ type: "compaction", compact_threshold: 1001 }],
  image: { mark: "mark-image" },
  include: ["file_search_call.results", "reasoning.encrypted_content"],
  max_output_tokens: 5001,
  max_tool_calls: 1002,
  metadata: { one: "mark-metadata" },
  moderation: { model: "mark-moderation" },
  parallel_tool_calls: false,
  prompt_cache_key: "mark-cache",
  prompt_cache_options: { mark: "mark-options" },
  prompt_cache_retention: "24h",
  reasoning: { effort: "high", summary: "detailed" },
  safety_identifier: "mark-user",
  service_tier: "flex",
  store: true,
  stream_options: { include_obfuscation: false },
  temperature: 0.501,
  text: { verbosity: "low", format: { type: "json_schema", name: "a", schema, strict: true } },
  tool_choice: "required",
  tools: [{ type: "function", name: "look", parameters: schema, strict: false }],
  top_logprobs: 3,
  top_p: 0.701,
  truncation: "auto",
  user: "mark-other-user",
};

const chatParts: Table<OpenAI.Chat.ChatCompletionContentPart["type"]> = {
  text: { text: "mark-text" },
  image_url: { image_url: { url: `data:image/png;base64,${png}`, detail: "low" } },
  input_audio: { input_audio: { data: png, format: "wav" } },
  file: { file: { file_data: `data:application/pdf;base64,${pdf}`, filename: "mark-name" } },
};

type ChatMessage = OpenAI.Chat.ChatCompletionMessageParam;
const chatMessages: Table<ChatMessage["role"]> = {
  developer: { content: "mark-text", name: "mark-name" },
  system: { content: [{ type: "text", text: "mark-text" }], name: "mark-name" },
  user: { content: "mark-text", name: "mark-name" },
  assistant: {
    content: "mark-text",
    name: "mark-name",
    refusal: "mark-refusal",
    tool_calls: [{
      id: "mark-id",
      type: "function",
      function: { name: "look", arguments: '{"city":"mark-city"}' },
    }],
    annotations: [{ type: "url_citation", url_citation: { url: "mark-url" } }],
  },
  tool: { tool_call_id: "mark-id", content: [{ type: "text", text: "mark-result" }] },
  function: { name: "look", content: "mark-result" },
};

const chatTools: Table<OpenAI.Chat.ChatCompletionTool["type"]> = {
  function: {
    function: {
      name: "look",
      description: "mark-description",
      parameters: schema,
      strict: true,
      mark: "mark-more",
    },
  },
  custom: refused,
};

/** The older way to offer functions; a body has either. */
type Legacy = "functions" | "function_call" | "max_tokens";
type ChatBody = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
const chatBody: Readonly<Record<Exclude<keyof ChatBody, Legacy>, unknown>> = {
  model: "m",
  messages: [{ role: "user", content: "mark-text" }],
  stream: false,
  audio: { voice: "mark-voice", format: "mp3" },
  frequency_penalty: 0.101,
  logit_bias: { "1": 1001 },
  logprobs: true,
  max_completion_tokens: 5001,
  metadata: { one: "mark-metadata" },
  modalities: ["text", "audio"],
  moderation: { model: "mark-moderation" },
  n: 1,
  parallel_tool_calls: false,
  prediction: { type: "content", content: "mark-prediction" },
  presence_penalty: 0.201,
  prompt_cache_key: "mark-cache",
  prompt_cache_options: { mark: "mark-options" },
  prompt_cache_retention: "24h",
  reasoning_effort: "high",
  response_format: {
    type: "json_schema",
    json_schema: { name: "a", description: "mark-form", schema, strict: true },
  },
  safety_identifier: "mark-user",
  seed: 1002,
  service_tier: "flex",
  stop: ["mark-stop"],
  store: true,
  stream_options: { include_usage: true },
  temperature: 0.501,
  tool_choice: "required",
  tools: [{ type: "function", function: { name: "look", parameters: schema } }],
  top_logprobs: 3,
  top_p: 0.701,
  user: "mark-other-user",
  verbosity: "low",
  web_search_options: {
    search_context_size: "high",
    user_location: { type: "approximate", approximate: { city: "mark-city" } },
  },
};

interface Sample {
  readonly name: string;
  readonly body: object;
  /** Whether a leg of another dialect has to refuse it. */
  readonly refused?: boolean;
}

const samples: Readonly<Record<string, readonly Sample[]>> = {
  "anthropic-messages": [
    ...kinds(blocks, "block", (block) => ({ messages: around(block) })),
    ...kinds(messagesTools, "tool", (tool) => ({
      messages: [{ role: "user", content: "Hi" }],
      tools: [tool],
    })),
    ...settings(messagesBody),
    {
      name: "an image in an instruction",
      body: {
        messages: [
          { role: "user", content: "Hi" },
          {
            role: "system",
            content: [
              { type: "text", text: "mark-text" },
              { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
            ],
          },
        ],
      },
    },
    {
      name: "remote servers",
      body: {
        messages: [{ role: "user", content: "Hi" }],
        mcp_servers: [{ type: "url", name: "mark-server", url: "https://a.org" }],
      },
      refused: true,
    },
  ].map((sample) => ({ ...sample, body: { max_tokens: 5001, ...sample.body } })),
  "openai-responses": [
    ...kinds(items, "item", (item) => ({
      input: [
        { role: "user", content: "Hi" },
        ...item["type"] === "function_call_output"
          ? [{ type: "function_call", call_id: "mark-id", name: "look", arguments: "{}" }]
          : [],
        item,
      ],
      tools: [{ type: "function", name: "look", parameters: schema }],
    })),
    ...kinds(inputParts, "part", (part) => ({ input: [{ role: "user", content: [part] }] })),
    ...kinds(responsesTools, "tool", (tool) => ({ input: "Hi", tools: [tool] })),
    ...settings(responsesBody),
    {
      name: "an image in an instruction",
      body: {
        input: [
          {
            role: "developer",
            content: [{ type: "input_image", image_url: `data:image/png;base64,${png}` }],
          },
          { role: "user", content: "Hi" },
        ],
      },
    },
  ],
  "openai-chat": [
    ...kinds(chatParts, "part", (part) => ({ messages: [{ role: "user", content: [part] }] })),
    ...kinds(chatMessages, "message", ({ type, ...message }) => ({
      messages: [
        { role: "user", content: "Hi" },
        ...type === "tool" || type === "function"
          ? [{
            role: "assistant",
            ...type === "tool"
              ? {
                tool_calls: [{
                  id: "mark-id",
                  type: "function",
                  function: { name: "look", arguments: "{}" },
                }],
              }
              : { function_call: { name: "look", arguments: "{}" } },
          }]
          : [],
        { role: type, ...message },
      ],
    })),
    ...kinds(chatTools, "tool", (tool) => ({
      messages: [{ role: "user", content: "Hi" }],
      tools: [tool],
    })),
    ...settings(chatBody),
    {
      name: "an image in an instruction",
      body: {
        messages: [
          {
            role: "system",
            content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${png}` } }],
          },
          { role: "user", content: "Hi" },
        ],
      },
    },
    {
      name: "functions of the older form",
      body: {
        messages: [{ role: "user", content: "Hi" }],
        functions: [{
          name: "look",
          description: "mark-description",
          parameters: schema,
          mark: "mark-more",
        }],
        function_call: { name: "look" },
        max_tokens: 5001,
      },
    },
  ],
};

/** A body for each kind of a table. */
function kinds(
  table: Table<string>,
  what: string,
  embed: (piece: Record<string, unknown>) => object,
): Sample[] {
  return Object.entries(table).map(([type, value]) => ({
    name: `${what} "${type}"`,
    body: embed({ type, ...(value === refused ? {} : value) }),
    refused: value === refused,
  }));
}

/** A body with all settings, and one for each of them alone. */
function settings(body: object): Sample[] {
  const { model: _model, stream: _stream, ...all } = body as JsonObject;
  const needed = new Set(["messages", "input", "max_tokens", "tools"]);
  const least = Object.fromEntries(Object.entries(all).filter(([name]) => needed.has(name)));
  return [
    { name: "all settings", body: all },
    ...Object.entries(all).map(([name, value]) => ({
      name: `setting "${name}"`,
      body: { ...least, [name]: value },
    })),
  ];
}

/** A conversation in which a block may stand. */
function around(block: Record<string, unknown>): object[] {
  const asked = { role: "user", content: "Hi" };
  const type = String(block["type"]);
  if (type === "tool_result") {
    const call = { type: "tool_use", id: "mark-id", name: "look", input: {} };
    return [asked, { role: "assistant", content: [call] }, { role: "user", content: [block] }];
  }
  return /^(text|image|document|search_result|container_upload)$/.test(type)
    ? [{ role: "user", content: [block] }]
    : [asked, { role: "assistant", content: [block] }, asked];
}

/** `pointer=value` of what other words stand for elsewhere, leaves no trace, or asks for what happens anyway. */
const meant: readonly RegExp[] = [
  // The protocol's own words for kinds, media and where a conversation is kept.
  /\/(type|role|media_type)=/,
  /^\/input\/\d+\/(id|status)=/,
  /^\/tools\/\d+\/name=web_search$/,
  // Marks and hints for caches; most services cache by themselves.
  /\/cache_control\//,
  /^\/prompt_cache_(key|retention)=/,
  // Asks for encrypted reasoning, which always comes, or for what the family's own tools give.
  /^\/include\//,
  // Usage always comes, and nothing is padded.
  /^\/stream_options\//,
  // Efforts, summaries and choices have words of their own in each dialect.
  /^\/(reasoning_effort|tool_choice|reasoning\/effort|reasoning\/summary|output_config\/effort)=/,
  /^\/service_tier=(auto|standard_only)$/,
  /^\/n=1$/,
  // Flags leave no trace; a test of their own follows them.
  /^\/(logprobs|parallel_tool_calls|store|tool_choice\/disable_parallel_tool_use)=/,
  /\/(is_error|strict)=/,
];

describe.each(Object.keys(samples))("what a %s caller sends", (caller) => {
  const foreign = targets.filter((target) => target !== caller);
  test.each(samples[caller]!)("in $name is carried, told of or refused", async (sample) => {
    const from = await gateway.host.get("dialects", caller);
    for (const target of foreign) {
      const to = await gateway.host.get("dialects", target);
      const body = { model: "m", ...sample.body } as JsonObject;
      let text: string;
      let paths: string[];
      try {
        const decoded = from.decodeRequest(body, "chat");
        const encoded = to.encodeRequest(decoded.value, { model: "m", family: "of-nobody" });
        text = JSON.stringify(encoded.value);
        paths = [...decoded.warnings, ...encoded.warnings].map(({ path }) => path);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        expect(["unsupported_content", "state_not_portable"], `${target}: ${error.message}`)
          .toContain(error.code);
        continue;
      }
      expect(sample.refused ?? false, `${target} was sent ${text}`).toBe(false);
      const lost = leaves(body).filter(([pointer, value]) =>
        pointer !== "/model" && !isCarried(value, text) &&
        !paths.some((path) => pointer === path || pointer.startsWith(`${path}/`)) &&
        !meant.some((pattern) => pattern.test(`${pointer}=${value}`))
      );
      expect(lost, `${target} was sent ${text}; told of: ${paths.join(" ")}`).toEqual([]);
    }
  });
});

const asked = { messages: [{ role: "user", content: "Hi" }] };
const chatTool = { type: "function", function: { name: "look", parameters: schema } };
const responsesTool = { type: "function", name: "look", parameters: schema };
const messagesTool = { name: "look", input_schema: schema };
const failed = {
  messages: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: [{ type: "tool_use", id: "t", name: "look", input: {} }] },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "t", content: "no", is_error: true }],
    },
  ],
};

/** A flag of a caller, where a warning about it leads, and what it looks like where it is carried. */
const flags: readonly (readonly [string, object, string, RegExp])[] = [
  ["openai-chat", { ...asked, logprobs: true }, "/logprobs", /logprobs/i],
  ["openai-chat", { ...asked, store: true }, "/store", /"store":true/],
  [
    "openai-chat",
    { ...asked, tools: [chatTool], parallel_tool_calls: false },
    "/parallel_tool_calls",
    /"parallel_tool_calls":false|"disable_parallel_tool_use":true/,
  ],
  [
    "openai-chat",
    { ...asked, tools: [{ ...chatTool, function: { ...chatTool.function, strict: true } }] },
    "/tools/0/function/strict",
    /"strict":true/,
  ],
  ["openai-responses", { input: "Hi", store: true }, "/store", /"store":true/],
  [
    "openai-responses",
    { input: "Hi", tools: [responsesTool], parallel_tool_calls: false },
    "/parallel_tool_calls",
    /"parallel_tool_calls":false|"disable_parallel_tool_use":true/,
  ],
  [
    "openai-responses",
    { input: "Hi", tools: [{ ...responsesTool, strict: true }] },
    "/tools/0/strict",
    /"strict":true/,
  ],
  [
    "anthropic-messages",
    {
      ...asked,
      tools: [messagesTool],
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    },
    "/tool_choice/disable_parallel_tool_use",
    /"parallel_tool_calls":false|"disable_parallel_tool_use":true/,
  ],
  [
    "anthropic-messages",
    { ...asked, tools: [{ ...messagesTool, strict: true }] },
    "/tools/0/strict",
    /"strict":true/,
  ],
  [
    "anthropic-messages",
    failed,
    "/messages/2/content/0",
    /"status":"error"|"error":"no"/,
  ],
];

test.each(flags)(
  "a flag of a %s caller, %j, is carried or told of",
  async (caller, body, at, as) => {
    const from = await gateway.host.get("dialects", caller);
    for (const target of targets.filter((each) => each !== caller)) {
      const to = await gateway.host.get("dialects", target);
      const decoded = from.decodeRequest({ model: "m", max_tokens: 10, ...body }, "chat");
      const encoded = to.encodeRequest(decoded.value, { model: "m", family: "of-nobody" });
      const text = JSON.stringify(encoded.value);
      const told = [...decoded.warnings, ...encoded.warnings].some(({ path }) => path === at);
      expect(as.test(text), `${target} was sent ${text}`).toBe(!told);
    }
  },
);

test.each(["gemini-generate-content", "bedrock-converse"])(
  "what an embeddings caller sends is carried to a %s leg or told of",
  async (target) => {
    const [from, to] = await Promise.all(
      ["openai-chat", target].map((id) => gateway.host.get("dialects", id)),
    );
    const embeddings: Readonly<Record<keyof OpenAI.EmbeddingCreateParams, unknown>> = {
      model: "amazon.titan-embed-text-v2:0",
      input: "mark-text",
      dimensions: 512,
      encoding_format: "float",
      user: "mark-user",
    };
    const body = { ...embeddings, unheard_of: "mark-more" } as JsonObject;
    const decoded = from!.decodeRequest(body, "embeddings");
    const options = { model: String(embeddings.model), family: "of-nobody" };
    const encoded = to!.encodeRequest(decoded.value, options);
    expect(JSON.stringify(encoded.value)).toMatch(/512.*mark-text|mark-text.*512/);
    expect([...decoded.warnings, ...encoded.warnings].map(({ path }) => path).sort())
      .toEqual(["/unheard_of", "/user"]);
  },
);

/** Whether a value stands in a body: as it is, as base64, or inside a data URL. A flag leaves no trace. */
function isCarried(value: unknown, text: string): boolean {
  if (typeof value === "boolean") return false;
  const plain = String(value).replace(/^data:[^,]*,/, "");
  const escaped = JSON.stringify(plain).slice(1, -1);
  return text.includes(escaped) || text.includes(Buffer.from(plain).toString("base64")) ||
    sameJson(plain, text);
}

/** Arguments are text in one dialect and an object in another. */
function sameJson(value: string, text: string): boolean {
  if (!value.startsWith("{")) return false;
  return text.includes(JSON.stringify(JSON.parse(value)));
}

function leaves(value: unknown, pointer = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null) {
    return value === undefined || value === null ? [] : [[pointer, value]];
  }
  return Object.entries(value).flatMap(([name, each]) => leaves(each, `${pointer}/${name}`));
}
