import type { AnswerExample, RequestExample, StreamExample } from "@vmx/core/conformance";
import type { JsonObject } from "@vmx/core/contract";
import { writeFrame } from "@vmx/core/kit";

const weather = {
  name: "weather",
  description: "Tells the weather",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

/** Requests of every shape, written for the conformance suite. */
export const requests: readonly RequestExample[] = [
  {
    name: "text",
    body: {
      model: "claude-test",
      max_tokens: 64,
      system: "Be brief.",
      messages: [{ role: "user", content: "Hello – 世界 🌍" }],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ["END"],
      metadata: { user_id: "user-1" },
      service_tier: "standard_only",
      stream: true,
    },
  },
  {
    name: "blocks with cache marks",
    body: {
      model: "claude-test",
      max_tokens: 64,
      system: [
        { type: "text", text: "First." },
        { type: "text", text: "Second.", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
      tools: [{ ...weather, cache_control: { type: "ephemeral" } }],
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
      messages: [{
        role: "user",
        content: [
          { type: "text", text: "Look", cache_control: { type: "ephemeral", ttl: "5m" } },
          { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
          { type: "image", source: { type: "file", file_id: "file_1" } },
          {
            type: "document",
            source: { type: "base64", media_type: "application/pdf", data: "AAAA" },
            title: "Report",
            citations: { enabled: true },
          },
          {
            type: "document",
            source: { type: "content", content: [{ type: "text", text: "A line" }] },
          },
          {
            type: "search_result",
            source: "https://example.com",
            title: "Found",
            content: [{ type: "text", text: "Something" }],
          },
        ],
      }],
    },
  },
  {
    name: "a tool loop with thinking",
    body: {
      model: "claude-test",
      max_tokens: 4096,
      thinking: { type: "enabled", budget_tokens: 2048, display: "summarized" },
      tools: [weather, { type: "web_search_20250305", name: "web_search", max_uses: 2 }],
      messages: [
        { role: "user", content: "Weather in two cities?" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Two calls.", signature: "c2ln" },
            { type: "redacted_thinking", data: "ZGF0YQ" },
            { type: "text", text: "Let me see." },
            { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Köln" } },
            { type: "tool_use", id: "toolu_2", name: "weather", input: { city: "東京" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: "rain" },
            {
              type: "tool_result",
              tool_use_id: "toolu_2",
              is_error: true,
              content: [
                { type: "text", text: "no data" },
                { type: "image", source: { type: "base64", media_type: "image/png", data: "AA" } },
              ],
            },
            { type: "text", text: "Go on." },
          ],
        },
      ],
    },
  },
  {
    name: "tools the provider runs, and members of betas",
    body: {
      model: "claude-test",
      max_tokens: 64,
      betas: ["code-execution-2025-08-25"],
      container: "container_1",
      context_management: { edits: [{ type: "clear_tool_uses_20250919" }] },
      mcp_servers: [{ type: "url", name: "docs", url: "https://example.com/mcp" }],
      tools: [{ type: "code_execution_20250825", name: "code_execution" }],
      thinking: { type: "adaptive" },
      output_config: { effort: "max" },
      messages: [
        { role: "user", content: "Compute." },
        {
          role: "assistant",
          content: [
            { type: "server_tool_use", id: "srvtoolu_1", name: "code_execution", input: {} },
            {
              type: "code_execution_tool_result",
              tool_use_id: "srvtoolu_1",
              content: { type: "code_execution_result", stdout: "3", stderr: "", return_code: 0 },
            },
            { type: "text", text: "3" },
          ],
        },
        { role: "user", content: "And twice that?" },
        { role: "system", content: "Answer in words from here on." },
      ],
    },
  },
  {
    name: "a token count",
    operation: "count-tokens",
    body: {
      model: "claude-test",
      system: "Be brief.",
      tools: [weather],
      messages: [{ role: "user", content: "How long is this?" }],
    },
  },
  {
    name: "turns to merge, results to move, blanks to drop",
    body: {
      model: "claude-test",
      max_tokens: 64,
      messages: [
        { role: "user", content: "One" },
        { role: "user", content: [{ type: "text", text: " " }, { type: "text", text: "Two" }] },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: {} }],
        },
        {
          role: "user",
          content: [
            { type: "text", text: "Three" },
            { type: "tool_result", tool_use_id: "toolu_1", content: "four" },
          ],
        },
      ],
    },
    written: {
      model: "claude-test",
      max_tokens: 64,
      messages: [
        { role: "user", content: [{ type: "text", text: "One" }, { type: "text", text: "Two" }] },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: {} }],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: "four" },
            { type: "text", text: "Three" },
          ],
        },
      ],
    },
  },
];

const usage = {
  input_tokens: 12,
  cache_creation_input_tokens: 30,
  cache_read_input_tokens: 5,
  cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
  output_tokens: 9,
  output_tokens_details: { thinking_tokens: 4 },
  service_tier: "standard",
};

const message = (members: JsonObject): JsonObject => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-test-1",
  stop_reason: "end_turn",
  stop_sequence: null,
  usage,
  ...members,
});

const textAnswer = message({ content: [{ type: "text", text: "Hallo – 世界 🌍" }] });

const toolAnswer = message({
  content: [
    { type: "thinking", thinking: "A call, then.", signature: "c2lnbmF0dXJl" },
    { type: "redacted_thinking", data: "b3BhcXVl" },
    { type: "text", text: "Let me see." },
    { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Köln", days: [1, 2] } },
    { type: "tool_use", id: "toolu_2", name: "clock", input: {} },
  ],
  stop_reason: "tool_use",
});

const citedAnswer = message({
  content: [
    { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "sun" } },
    {
      type: "web_search_tool_result",
      tool_use_id: "srvtoolu_1",
      content: [{
        type: "web_search_result",
        url: "https://example.com/sun",
        title: "The sun",
        encrypted_content: "eA",
        page_age: null,
      }],
    },
    { type: "text", text: "It says: " },
    {
      type: "text",
      text: "the sun shines",
      citations: [{
        type: "web_search_result_location",
        url: "https://example.com/sun",
        title: "The sun",
        cited_text: "It shines.",
        encrypted_index: "eA",
      }],
    },
  ],
  usage: { ...usage, server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 } },
});

/** Plain answers of every shape. */
export const answers: readonly AnswerExample[] = [
  { name: "text", body: textAnswer },
  { name: "thinking and parallel tools", body: toolAnswer },
  {
    name: "a stop sequence",
    body: message({
      content: [{ type: "text", text: "to here" }],
      stop_reason: "stop_sequence",
      stop_sequence: "END",
    }),
  },
  {
    name: "a pause, with a container",
    body: message({
      content: [{ type: "text", text: "working" }],
      stop_reason: "pause_turn",
      container: { id: "container_1", expires_at: "2030-01-01T00:00:00Z" },
    }),
  },
  {
    name: "no cache reported",
    body: message({
      content: [{ type: "text", text: "hi" }],
      stop_reason: "max_tokens",
      usage: { input_tokens: 1, output_tokens: 2 },
    }),
  },
  { name: "a token count", operation: "count-tokens", body: { input_tokens: 14 } },
];

const event = (type: string, members: JsonObject = {}): string =>
  writeFrame({ event: type, data: JSON.stringify({ type, ...members }) });
const opened = (index: number, block: JsonObject): string =>
  event("content_block_start", { index, content_block: block });
const grown = (index: number, delta: JsonObject): string =>
  event("content_block_delta", { index, delta });
const closed = (index: number): string => event("content_block_stop", { index });

const begun = event("message_start", {
  message: {
    ...message({ content: [], stop_reason: null }),
    usage: { ...usage, output_tokens: 1, output_tokens_details: null },
  },
});

const ended = (reason: string, more: JsonObject = {}): string =>
  event("message_delta", {
    delta: { stop_reason: reason, stop_sequence: null },
    usage: {
      input_tokens: 12,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 5,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
      ...more,
    },
  }) + event("message_stop");

/** Streamed answers, each with its plain form. */
export const streams: readonly StreamExample[] = [
  {
    name: "text",
    plain: textAnswer,
    text: begun + opened(0, { type: "text", text: "" }) + event("ping") +
      grown(0, { type: "text_delta", text: "Hallo – " }) +
      grown(0, { type: "text_delta", text: "世界 🌍" }) + closed(0) + ended("end_turn"),
  },
  {
    name: "thinking and parallel tools",
    plain: toolAnswer,
    text: begun + opened(0, { type: "thinking", thinking: "", signature: "" }) +
      grown(0, { type: "thinking_delta", thinking: "A call, " }) +
      grown(0, { type: "thinking_delta", thinking: "then." }) +
      grown(0, { type: "signature_delta", signature: "c2lnbmF0dXJl" }) + closed(0) +
      opened(1, { type: "redacted_thinking", data: "b3BhcXVl" }) + closed(1) +
      opened(2, { type: "text", text: "" }) +
      grown(2, { type: "text_delta", text: "Let me see." }) + closed(2) +
      opened(3, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }) +
      grown(3, { type: "input_json_delta", partial_json: "" }) +
      grown(3, { type: "input_json_delta", partial_json: '{"city":"Kö' }) +
      grown(3, { type: "input_json_delta", partial_json: 'ln","days":[1,2]}' }) + closed(3) +
      opened(4, { type: "tool_use", id: "toolu_2", name: "clock", input: {} }) + closed(4) +
      ended("tool_use"),
  },
  {
    name: "a search with citations",
    plain: citedAnswer,
    text: begun +
      opened(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }) +
      grown(0, { type: "input_json_delta", partial_json: '{"query":"sun"}' }) + closed(0) +
      opened(1, (citedAnswer["content"] as JsonObject[])[1]!) + closed(1) +
      opened(2, { type: "text", text: "" }) +
      grown(2, { type: "text_delta", text: "It says: " }) + closed(2) +
      opened(3, { type: "text", text: "", citations: [] }) +
      grown(3, {
        type: "citations_delta",
        citation: ((citedAnswer["content"] as JsonObject[])[3]!["citations"] as JsonObject[])[0]!,
      }) +
      grown(3, { type: "text_delta", text: "the sun shines" }) + closed(3) +
      ended("end_turn", { server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 } }),
  },
];
