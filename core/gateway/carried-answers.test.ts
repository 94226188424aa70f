import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asStream } from "../conformance/streams.ts";
import type { AnswerContext, Dialect, JsonObject, Part } from "../contract/index.ts";
import { writeFrame } from "../kit/index.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/*
 * Nothing a provider answers is dropped in silence. Every kind of block and item of the official clients' types, with
 * every value in it, either stands in what a caller of another dialect gets, plain and streamed, or a warning tells of
 * it. The tables are typed by the clients: a kind they add is missed here by `tsc`.
 */

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const callers = ["openai-chat", "openai-responses", "anthropic-messages"];

/** What one kind holds beside its type. */
type Table<Kind extends string> = Readonly<Record<Kind, object>>;

const png = Buffer.from("mark-bytes-of-an-image").toString("base64");

const blocks: Table<Anthropic.Beta.BetaContentBlock["type"]> = {
  text: {
    text: "mark-text",
    citations: [
      {
        type: "web_search_result_location",
        url: "mark-url",
        title: "mark-title",
        cited_text: "mark-cited",
        encrypted_index: "opaque",
      },
      {
        type: "page_location",
        document_title: "mark-document",
        document_index: 0,
        cited_text: "mark-page",
        start_page_number: 1,
        end_page_number: 2,
        file_id: null,
      },
    ],
  } satisfies Omit<Anthropic.TextBlock, "type">,
  thinking: { thinking: "mark-thought", signature: "opaque" },
  redacted_thinking: { data: "opaque" },
  tool_use: {
    id: "mark-id",
    name: "look",
    input: { city: "mark-city" },
    caller: { type: "code_execution_20260120", tool_id: "mark-caller" },
    toolset_name: "mark-toolset",
  } satisfies Omit<Anthropic.Beta.BetaToolUseBlock, "type">,
  server_tool_use: { id: "s", name: "code_execution", input: { code: "mark-code" } },
  web_search_tool_result: {
    tool_use_id: "s",
    content: [{ type: "web_search_result", url: "mark-url", title: "mark-title" }],
  },
  web_fetch_tool_result: { tool_use_id: "s", content: { url: "mark-url" } },
  advisor_tool_result: { tool_use_id: "s", content: { text: "mark-advice" } },
  code_execution_tool_result: { tool_use_id: "s", content: { stdout: "mark-output" } },
  bash_code_execution_tool_result: { tool_use_id: "s", content: { stdout: "mark-output" } },
  text_editor_code_execution_tool_result: { tool_use_id: "s", content: { content: "mark-file" } },
  tool_search_tool_result: { tool_use_id: "s", content: { tool_references: ["mark-tool"] } },
  mcp_tool_use: { id: "s", name: "mark_tool", server_name: "mark-server", input: { a: "mark-a" } },
  mcp_tool_result: { tool_use_id: "s", is_error: false, content: [{ text: "mark-result" }] },
  mcp_tool_listing: { server_name: "mark-server", tools: [{ name: "mark-tool" }] },
  container_upload: { file_id: "mark-file" },
  compaction: { content: "mark-summary" },
  fallback: { reason: "mark-reason" },
};

const items: Table<OpenAI.Responses.ResponseOutputItem["type"]> = {
  message: {
    id: "msg_1",
    role: "assistant",
    status: "completed",
    phase: "commentary",
    content: [
      {
        type: "output_text",
        text: "mark-text",
        annotations: [
          {
            type: "url_citation",
            url: "mark-url",
            title: "mark-title",
            start_index: 0,
            end_index: 4,
          },
          { type: "file_citation", file_id: "file-1", filename: "mark-file", index: 4 },
        ],
        logprobs: [{ token: "mark-token", bytes: [1], logprob: -0.123, top_logprobs: [] }],
      },
      { type: "refusal", refusal: "mark-refusal" },
    ],
  } satisfies Omit<OpenAI.Responses.ResponseOutputMessage, "type">,
  reasoning: {
    id: "rs_1",
    summary: [{ type: "summary_text", text: "mark-summary" }],
    content: [{ type: "reasoning_text", text: "mark-thought" }],
  } satisfies Omit<OpenAI.Responses.ResponseReasoningItem, "type">,
  function_call: {
    call_id: "mark-id",
    name: "look",
    arguments: '{"city":"mark-city"}',
    namespace: "mark-namespace",
    caller: { type: "program", caller_id: "mark-caller" },
  } satisfies Omit<OpenAI.Responses.ResponseFunctionToolCall, "type">,
  image_generation_call: { id: "ig_1", status: "completed", result: png },
  function_call_output: { id: "fo_1", call_id: "mark-id", output: "mark-output" },
  file_search_call: { id: "fs_1", status: "completed", queries: ["mark-query"], results: null },
  web_search_call: { id: "ws_1", status: "completed", action: { query: "mark-query" } },
  computer_call: { id: "cu_1", call_id: "cu_1", actions: [{ text: "mark-action" }] },
  computer_call_output: { id: "co_1", call_id: "cu_1", output: { image_url: "mark-image" } },
  program: { id: "pr_1", code: "mark-code" },
  program_output: { id: "po_1", output: "mark-output" },
  tool_search_call: { id: "ts_1", arguments: { query: "mark-query" } },
  tool_search_output: { id: "to_1", tools: [{ name: "mark-tool" }] },
  additional_tools: { id: "at_1", tools: [{ name: "mark-tool" }] },
  compaction: { id: "cp_1", encrypted_content: "mark-opaque" },
  code_interpreter_call: { id: "ci_1", code: "mark-code", container_id: "c", outputs: [] },
  local_shell_call: { id: "ls_1", call_id: "l", action: { command: ["mark-command"] } },
  local_shell_call_output: { id: "lo_1", output: "mark-output" },
  shell_call: { id: "sh_1", call_id: "s", action: { commands: ["mark-command"] } },
  shell_call_output: { id: "so_1", call_id: "s", output: [{ stdout: "mark-output" }] },
  apply_patch_call: { id: "ap_1", call_id: "a", operation: { diff: "mark-diff" } },
  apply_patch_call_output: { id: "ao_1", call_id: "a", output: "mark-output" },
  mcp_call: { id: "mc_1", name: "mark-tool", server_label: "mark-server", arguments: "{}" },
  mcp_list_tools: { id: "ml_1", server_label: "mark-server", tools: [{ name: "mark-tool" }] },
  mcp_approval_request: { id: "ma_1", name: "mark-tool", server_label: "s", arguments: "{}" },
  mcp_approval_response: { id: "mr_1", approval_request_id: "ma_1", approve: true, reason: "mark" },
  custom_tool_call: { call_id: "c", name: "mark-tool", input: "mark-input" },
  custom_tool_call_output: { id: "cc_1", call_id: "c", output: "mark-output" },
};

/** Members of a message of Chat Completions, with those other services add. */
const message: Readonly<Record<keyof OpenAI.Chat.ChatCompletionMessage, unknown>> & JsonObject = {
  role: "assistant",
  content: "mark-text",
  refusal: "mark-refusal",
  annotations: [{
    type: "url_citation",
    url_citation: { url: "mark-url", title: "mark-title", start_index: 0, end_index: 4 },
  }],
  audio: { id: "mark-audio", data: png, expires_at: 1, transcript: "mark-transcript" },
  tool_calls: [
    {
      id: "mark-id",
      type: "function",
      function: { name: "look", arguments: '{"city":"mark-city"}' },
    },
    { id: "c", type: "custom", custom: { name: "mark-tool", input: "mark-input" } },
  ],
  function_call: null,
  reasoning_content: "mark-thought",
  images: [{ type: "image_url", image_url: { url: `data:image/png;base64,${png}` } }],
  executed_tools: [{ type: "search", output: "mark-output" }],
};

/** Members of the types of `@google/genai` 3.1.0 and of Bedrock's client 3.1162.0, read by eye. */
const parts: Readonly<Record<string, object>> = {
  text: { text: "mark-text" },
  thought: { text: "mark-thought", thought: true },
  functionCall: { functionCall: { id: "mark-id", name: "look", args: { city: "mark-city" } } },
  functionResponse: { functionResponse: { name: "look", response: { output: "mark-output" } } },
  inlineData: { inlineData: { mimeType: "image/png", data: png } },
  fileData: { fileData: { mimeType: "image/png", fileUri: "https://a.org/mark-file" } },
  executableCode: { executableCode: { language: "PYTHON", code: "mark-code" } },
  codeExecutionResult: { codeExecutionResult: { outcome: "OUTCOME_OK", output: "mark-output" } },
  toolCall: { toolCall: { id: "t", args: { queries: ["mark-query"] } } },
  toolResponse: { toolResponse: { id: "t", response: { output: "mark-output" } } },
  audioTranscription: { audioTranscription: { text: "mark-transcript" } },
};
const converseBlocks: Readonly<Record<string, object>> = {
  text: { text: "mark-text" },
  reasoningContent: {
    reasoningContent: { reasoningText: { text: "mark-thought", signature: "opaque" } },
  },
  citationsContent: {
    citationsContent: {
      content: [{ text: "mark-text" }],
      citations: [{
        title: "mark-title",
        sourceContent: [{ text: "mark-cited" }],
        location: { web: { url: "mark-url" } },
      }],
    },
  },
  toolUse: { toolUse: { toolUseId: "mark-id", name: "look", input: { city: "mark-city" } } },
  server_tool_use: {
    toolUse: { toolUseId: "s", name: "mark-grounding", type: "server_tool_use", input: {} },
  },
  toolResult: { toolResult: { toolUseId: "s", content: [{ text: "mark-result" }] } },
  image: { image: { format: "png", source: { bytes: png } } },
  document: { document: { format: "pdf", name: "mark-name", source: { bytes: png } } },
  video: { video: { format: "mp4", source: { s3Location: { uri: "mark-video" } } } },
  audio: { audio: { format: "wav", source: { bytes: png } } },
  guardContent: { guardContent: { text: { text: "mark-guarded" } } },
  searchResult: { searchResult: { title: "mark-title", source: "mark-source", content: [] } },
  toolAddition: { toolAddition: { name: "mark-tool" } },
  toolRemoval: { toolRemoval: { name: "mark-tool" } },
};

interface Sample {
  readonly name: string;
  readonly body: JsonObject;
}

const messagesAnswer = (content: readonly object[], more: object = {}) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "up-1",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
  ...more,
});
const response = (output: readonly object[], more: object = {}) => ({
  id: "resp_1",
  object: "response",
  created_at: 1,
  model: "up-1",
  status: "completed",
  output,
  ...more,
});
const completion = (choice: object, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "up-1",
  choices: [{ index: 0, finish_reason: "stop", ...choice }],
  ...more,
});
const generated = (content: readonly object[], candidate: object = {}, more: object = {}) => ({
  candidates: [{
    index: 0,
    finishReason: "STOP",
    content: { role: "model", parts: content },
    ...candidate,
  }],
  ...more,
});
const conversed = (content: readonly object[], more: object = {}) => ({
  output: { message: { role: "assistant", content } },
  stopReason: "end_turn",
  ...more,
});
const hello = { type: "text", text: "Hi" };

/** What each leg answers: every kind alone, and what stands beside the content. */
const samples: Readonly<Record<string, readonly Sample[]>> = {
  "anthropic-messages": [
    ...kinds(blocks, (block) => messagesAnswer([block])),
    sample(
      "members",
      messagesAnswer([hello], {
        container: { id: "mark-container" },
        context_management: { applied_edits: [{ type: "mark-edit" }] },
        diagnostics: { cache: "mark-diagnostics" },
        stop_reason: "refusal",
        stop_details: { type: "refusal", category: "bio", explanation: "mark-explanation" },
        unheard_of: "mark-more",
      }),
    ),
  ],
  "openai-responses": [
    ...kinds(items, (item) => response([item])),
    sample(
      "members",
      response([], { moderation: { input: "mark-moderation" }, unheard_of: "mark-more" }),
    ),
  ],
  "openai-chat": [
    ...Object.entries(message).map(([name, value]) =>
      sample(name, completion({ message: { role: "assistant", content: "Hi", [name]: value } }))
    ),
    sample(
      "extra_content",
      completion({
        message: {
          tool_calls: [{
            id: "mark-id",
            type: "function",
            extra_content: { signature: "mark-signature" },
            function: { name: "look", arguments: "{}" },
          }],
        },
      }),
    ),
    sample(
      "members",
      completion(
        {
          message: { role: "assistant", content: "Hi" },
          logprobs: { content: [{ token: "mark-token", logprob: -0.123 }], refusal: null },
          content_filter_results: { hate: { severity: "mark-safe" } },
        },
        {
          citations: ["mark-citation"],
          moderation: { input: "mark-moderation" },
          system_fingerprint: "mark-fingerprint",
          service_tier: "mark-tier",
        },
      ),
    ),
  ],
  "gemini-generate-content": [
    ...Object.entries(parts).map(([name, part]) => sample(name, generated([part]))),
    sample(
      "members",
      generated([{ text: "Hi" }], {
        citationMetadata: { citations: [{ uri: "mark-cited", license: "mark-license" }] },
        finishMessage: "mark-message",
        tokenCount: 1001,
        groundingMetadata: {
          searchEntryPoint: { renderedContent: "mark-entry" },
          webSearchQueries: ["mark-query"],
          groundingChunks: [{ web: { uri: "mark-url", title: "mark-title" } }],
        },
        avgLogprobs: -0.123,
        safetyRatings: [{ category: "mark-category", probability: "LOW" }],
        urlContextMetadata: { urlMetadata: [{ retrievedUrl: "mark-retrieved" }] },
        continuationToken: "mark-token",
      }, { promptFeedback: { safetyRatings: [{ category: "mark-prompt" }] } }),
    ),
  ],
  "bedrock-converse": [
    ...Object.entries(converseBlocks).map(([name, block]) => sample(name, conversed([block]))),
    sample(
      "members",
      conversed([{ text: "Hi" }], {
        trace: { guardrail: { modelOutput: ["mark-trace"] } },
        performanceConfig: { latency: "mark-latency" },
        additionalModelResponseFields: { mark: "mark-field" },
      }),
    ),
  ],
};

function kinds(table: Table<string>, embed: (piece: object) => object): Sample[] {
  return Object.entries(table).map(([type, value]) => sample(type, embed({ type, ...value })));
}

function sample(name: string, body: object): Sample {
  return { name, body: body as JsonObject };
}

/** `pointer=value` of what other words stand for elsewhere, or what means something to its own provider alone. */
const meant: readonly RegExp[] = [
  // Kinds, ends and counts have words of their own in each dialect.
  /\/(type|role|object|status|finish_reason|finishReason|stop_reason|stopReason|index)=/,
  /^\/usage\//,
  // Ids of answers and items are their dialect's to make; opaque texts are packed.
  /^\/(id|created_at|created)=/,
  /^\/output\/0\/id=/,
  /=opaque$/,
  // Where in a document or among files a citation stands; its title and text are carried.
  /\/citations\/\d\/(document_index|start_page_number|end_page_number)=/,
  /\/annotations\/\d\/(url_citation\/)?(file_id|index|start_index|end_index)=/,
  // Formats are part of media types.
  /\/(format|mimeType)=/,
  /\/thought=/,
];

const context: AnswerContext = {
  operation: "chat",
  requestId: "req-0001",
  stream: false,
  now: 1_700_000_000,
  model: "up-1",
  includeUsage: true,
  family: "of-nobody",
};

describe.each(Object.keys(samples))("what a %s leg answers", (leg) => {
  const foreign = callers.filter((caller) => caller !== leg);
  test.each(samples[leg]!)("in $name is carried or told of", async ({ name, body }) => {
    const from = await gateway.host.get("dialects", leg);
    const decoded = from.decodeResponse(body, "chat");
    for (const caller of foreign) {
      const to = await gateway.host.get("dialects", caller);
      const { value, warnings } = to.encodeResponse(decoded.value, context);
      const streamed = stream(to, decoded.value);
      expect(streamed.warnings.map(place), `${caller}, streamed`).toEqual(warnings.map(place));
      const kind = namesOf(name, body);
      const details = [...decoded.warnings, ...warnings].map(({ detail }) => detail);
      if (details.some((detail) => detail !== undefined && kind.has(detail))) continue;
      for (const [form, text] of [["plain", JSON.stringify(value)], ["streamed", streamed.text]]) {
        const lost = leaves(body).filter(([pointer, leaf]) =>
          !isCarried(leaf, text!) && !meant.some((each) => each.test(`${pointer}=${leaf}`)) &&
          !pointer.split("/").some((step) => details.includes(step))
        );
        expect(lost, `${caller} got ${form} ${text}`).toEqual([]);
      }
    }
  });
});

/** Why answers end, by the clients' types; those of services without a typed table as their clients list them. */
const reasons: Readonly<Record<string, readonly string[]>> = {
  "anthropic-messages": Object.keys(
    {
      end_turn: true,
      max_tokens: true,
      stop_sequence: true,
      tool_use: true,
      pause_turn: true,
      compaction: true,
      refusal: true,
      model_context_window_exceeded: true,
    } satisfies Record<Anthropic.Beta.BetaStopReason, true>,
  ),
  "openai-chat": Object.keys(
    {
      stop: true,
      length: true,
      tool_calls: true,
      content_filter: true,
      function_call: true,
    } satisfies Record<OpenAI.Chat.ChatCompletion.Choice["finish_reason"], true>,
  ),
  "gemini-generate-content": [
    ...["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "SPII"],
    ...["PROHIBITED_CONTENT", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL"],
    ...["TOO_MANY_TOOL_CALLS", "IMAGE_PROHIBITED_CONTENT", "NO_IMAGE", "IMAGE_RECITATION"],
    ...["IMAGE_OTHER", "CONTINUATION", "MALFORMED_RESPONSE", "FINISH_REASON_UNSPECIFIED"],
  ],
  "bedrock-converse": [
    ...["content_filtered", "end_turn", "guardrail_intervened", "malformed_model_output"],
    ...["malformed_tool_use", "max_tokens", "model_context_window_exceeded", "stop_sequence"],
    "tool_use",
  ],
};

/** The words a plain end has. */
const plainEnds = new Set(["end_turn", "stop", "STOP"]);

test.each(
  Object.entries(reasons).flatMap(([leg, words]) => words.map((word) => [leg, word] as const)),
)("of %s, the end %s is a canonical one, or told of", async (leg, word) => {
  const dialect = await gateway.host.get("dialects", leg);
  const answers: Readonly<Record<string, object>> = {
    "anthropic-messages": messagesAnswer([hello], { stop_reason: word }),
    "openai-chat": completion({ message: { content: "Hi" }, finish_reason: word }),
    "gemini-generate-content": generated([{ text: "Hi" }], { finishReason: word }),
    "bedrock-converse": conversed([{ text: "Hi" }], { stopReason: word }),
  };
  const { value, warnings } = dialect.decodeResponse(answers[leg] as JsonObject, "chat");
  const finish = value.find((part) => part.type === "finish");
  const told = warnings.some(({ code, detail }) =>
    code === "unknown_finish_reason" && detail === word
  );
  expect(told, finish?.reason).toBe(finish?.reason === "end" && !plainEnds.has(word));
});

function stream(dialect: Dialect, answer: readonly Part[]) {
  const encoder = dialect.streamEncoder({ ...context, stream: true });
  const frames = asStream(answer).flatMap((part) => [...encoder.push(part)]);
  const text = [...frames, ...encoder.end()].map(writeFrame).join("");
  return { text, warnings: encoder.warnings ?? [] };
}

function place({ code, path }: { readonly code: string; readonly path: string }): string {
  return `${code} ${path}`;
}

/** The words a warning may name what was left out by: the kind, the canonical word for it, or the tool. */
function namesOf(name: string, body: JsonObject): ReadonlySet<string> {
  const called = /"name":"((?:mark|code)[^"]*)"/.exec(JSON.stringify(body))?.[1];
  const word = Object.hasOwn(words, name) ? words[name]! : name;
  return new Set([word, ...called ? [called] : []]);
}

const words: Readonly<Record<string, string>> = {
  image: "file",
  images: "file",
  inlineData: "file",
  fileData: "file",
  image_generation_call: "file",
  tool_calls: "tool-call",
};

/** Whether a value stands in an answer: as it is, in JSON text, or as part of a data URL. */
function isCarried(value: unknown, text: string): boolean {
  if (typeof value === "boolean") return false;
  const plain = String(value).replace(/^data:[^,]*,/, "");
  return [plain, JSON.stringify(plain).slice(1, -1)].some((each) => text.includes(each)) ||
    (plain.startsWith("{") && text.includes("mark-city"));
}

function leaves(value: unknown, pointer = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null) {
    return value === undefined || value === null ? [] : [[pointer, value]];
  }
  return Object.entries(value).flatMap(([name, each]) => leaves(each, `${pointer}/${name}`));
}
