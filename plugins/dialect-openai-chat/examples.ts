import type { JsonObject } from "@vmx/core/contract";
import type { AnswerExample, RequestExample, StreamExample } from "@vmx/core/conformance";

const weather: JsonObject = {
  type: "function",
  function: {
    name: "weather",
    description: "Tells the weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
    strict: true,
  },
};

/** Requests with every member the dialect knows, and some it does not. */
export const requests: readonly RequestExample[] = [
  {
    name: "one question",
    body: { model: "small", messages: [{ role: "user", content: "Grüß Gott 🌍" }] },
  },
  {
    name: "system texts in both roles and forms, one of them late",
    body: {
      model: "small",
      messages: [
        { role: "system", content: "First.", name: "setup" },
        {
          role: "developer",
          content: [
            { type: "text", text: "Second." },
            { type: "text", text: "Third.", prompt_cache_breakpoint: { mode: "explicit" } },
          ],
        },
        { role: "user", content: "Go." },
        { role: "system", content: "Late." },
        { role: "user", content: [{ type: "text", text: "On." }], name: "ann" },
        { role: "system", content: "At the end." },
      ],
    },
  },
  {
    name: "every kind of user content",
    body: {
      model: "small",
      messages: [{
        role: "user",
        content: [
          { type: "text", text: "" },
          { type: "image_url", image_url: { url: "https://example.org/a.png", detail: "low" } },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
          { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
          {
            type: "file",
            file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
          },
          { type: "file", file: { filename: "b.pdf", file_data: "JVBERi0=" } },
          { type: "file", file: { file_id: "file-1" } },
          { type: "hologram", hologram: { depth: 3 } },
        ],
      }],
    },
  },
  {
    name: "tool calls, parallel, custom and with results",
    body: {
      model: "small",
      tools: [
        weather,
        { type: "function", function: { name: "bare" } },
        { type: "custom", custom: { name: "shell", format: { type: "text" } } },
      ],
      tool_choice: { type: "custom", custom: { name: "shell" } },
      parallel_tool_calls: false,
      messages: [
        { role: "user", content: "Weather?" },
        {
          role: "assistant",
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: "c1",
              type: "function",
              function: { name: "weather", arguments: '{"city": "A"}' },
            },
            { id: "c2", type: "function", function: { name: "bare", arguments: "" } },
            { id: "c3", type: "custom", custom: { name: "shell", input: "ls -l" } },
          ],
        },
        { role: "tool", tool_call_id: "c1", content: "rain" },
        { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "done" }] },
        { role: "tool", tool_call_id: "c3", content: "" },
      ],
    },
  },
  {
    name: "a choice among allowed tools",
    body: {
      model: "small",
      messages: [{ role: "user", content: "Go." }],
      tools: [weather],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: {
          mode: "required",
          tools: [{ type: "function", function: { name: "weather" } }],
        },
      },
    },
  },
  {
    name: "what an assistant said: refusal, audio, reasoning, parts",
    body: {
      model: "small",
      messages: [
        { role: "user", content: "Go." },
        { role: "assistant", content: "No.", refusal: "I will not." },
        { role: "assistant", audio: { id: "audio-1" } },
        { role: "assistant", content: "Hm.", reasoning_content: "Let me think." },
        {
          role: "assistant",
          content: [{ type: "text", text: "a" }, { type: "refusal", refusal: "b" }],
        },
        { role: "user", content: "Why?" },
      ],
    },
  },
  {
    name: "the legacy functions",
    body: {
      model: "small",
      functions: [{ name: "add", parameters: { type: "object" } }],
      function_call: { name: "add" },
      messages: [
        { role: "user", content: "1 + 1" },
        {
          role: "assistant",
          content: null,
          function_call: { name: "add", arguments: '{"a":1,"b":1}' },
        },
        { role: "function", name: "add", content: "2" },
      ],
    },
  },
  {
    name: "every setting",
    body: {
      model: "small",
      messages: [{ role: "user", content: "Go." }],
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      max_completion_tokens: 64,
      temperature: 0,
      top_p: 0.5,
      frequency_penalty: -1,
      presence_penalty: 1.5,
      seed: 42,
      logit_bias: { "50256": -100 },
      logprobs: true,
      top_logprobs: 3,
      n: 2,
      stop: ["a", "b"],
      reasoning_effort: "minimal",
      verbosity: "low",
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", schema: { type: "object" }, strict: true },
      },
      service_tier: "flex",
      metadata: { team: "red" },
      user: "ann",
      safety_identifier: "hash-1",
      store: false,
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      prediction: { type: "content", content: "maybe" },
      modalities: ["text", "audio"],
      audio: { voice: "alloy", format: "mp3" },
      web_search_options: {
        search_context_size: "low",
        user_location: { type: "approximate", approximate: { country: "DE" } },
      },
      some_future_member: { deep: [1, null, { x: "y" }] },
    },
  },
  {
    name: "older spellings",
    body: {
      model: "small",
      messages: [{ role: "user", content: "Go." }],
      max_tokens: 5,
      user: "ann",
      stop: "x",
      temperature: null,
      stream: true,
    },
    written: {
      model: "small",
      messages: [{ role: "user", content: "Go." }],
      max_completion_tokens: 5,
      safety_identifier: "ann",
      stop: ["x"],
      stream: true,
      stream_options: { include_usage: true },
    },
  },
  {
    name: "one text to embed",
    operation: "embeddings",
    body: {
      model: "vectors",
      input: "Grüße",
      dimensions: 8,
      encoding_format: "float",
      user: "ann",
    },
  },
  {
    name: "several texts to embed",
    operation: "embeddings",
    body: { model: "vectors", input: ["a", "b"] },
  },
  {
    name: "token arrays to embed",
    operation: "embeddings",
    body: { model: "vectors", input: [[1, 2], [3]], encoding_format: "base64" },
  },
];

const head = { id: "chatcmpl-1", created: 1_700_000_001, model: "small-2024" };
const usage = {
  prompt_tokens: 30,
  completion_tokens: 12,
  total_tokens: 42,
  prompt_tokens_details: { cached_tokens: 10, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 5,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

function answer(message: JsonObject, reason: string, choice: JsonObject = {}): JsonObject {
  return {
    ...head,
    object: "chat.completion",
    choices: [{
      index: 0,
      message: { role: "assistant", ...message },
      finish_reason: reason,
      ...choice,
    }],
    usage,
  };
}

const text = answer({ content: "Grüße 🌍", refusal: null }, "stop", { logprobs: null });
const reasoned = answer({ content: "Four.", reasoning_content: "2 + 2" }, "length");
const called = answer({
  content: "Let me see.",
  tool_calls: [
    { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Köln"}' } },
    { id: "c2", type: "function", function: { name: "weather", arguments: "{}" } },
  ],
}, "tool_calls");

/** Plain answers of every kind. */
export const answers: readonly AnswerExample[] = [
  { name: "text", body: text },
  { name: "reasoning", body: reasoned },
  { name: "tool calls", body: called },
  {
    name: "a refusal",
    body: answer({ content: null, refusal: "I cannot." }, "stop", { logprobs: null }),
  },
  { name: "nothing at all", body: answer({ content: "" }, "content_filter") },
  {
    name: "citations",
    body: answer({
      content: "As said there.",
      annotations: [{
        type: "url_citation",
        url_citation: { url: "https://example.org", title: "T", start_index: 0, end_index: 7 },
      }],
    }, "stop"),
  },
  {
    name: "log probabilities",
    body: answer({ content: "Hi" }, "stop", {
      logprobs: {
        content: [{ token: "Hi", logprob: -0.1, bytes: [72, 105], top_logprobs: [] }],
        refusal: null,
      },
    }),
  },
  {
    name: "members of other services",
    body: {
      ...answer({ content: "Hi", executed_tools: [{ index: 0, type: "search" }] }, "stop", {
        content_filter_results: { hate: { filtered: false } },
      }),
      service_tier: null,
      system_fingerprint: "fp_1",
      x_other: { id: "r1" },
    },
  },
  {
    name: "two vectors",
    operation: "embeddings",
    body: {
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [0.5, -0.25] },
        { object: "embedding", index: 1, embedding: [1, 0] },
      ],
      model: "vectors-1",
      usage: { prompt_tokens: 4, total_tokens: 4 },
    },
  },
];

const chunkHead = { ...head, object: "chat.completion.chunk" };

/** Writes chunks as a stream, ended by the end marker. */
export function streamOf(chunks: readonly JsonObject[], end = "data: [DONE]\n\n"): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + end;
}

/** One chunk of the first choice. */
export function chunkOf(
  delta: JsonObject,
  reason: string | null = null,
  more: JsonObject = {},
): JsonObject {
  return { ...chunkHead, choices: [{ index: 0, delta, finish_reason: reason, ...more }] };
}

const usageChunk: JsonObject = { ...chunkHead, choices: [], usage };

/** Streams of every kind with their plain forms. */
export const streams: readonly StreamExample[] = [
  {
    name: "text",
    text: streamOf([
      chunkOf({ role: "assistant", content: "", refusal: null }, null, { logprobs: null }),
      chunkOf({ content: "Grü" }, null, { logprobs: null }),
      chunkOf({ content: "ße 🌍" }, null, { logprobs: null }),
      chunkOf({}, "stop", { logprobs: null }),
      usageChunk,
    ]),
    plain: text,
    wholeAfter: 4,
  },
  {
    name: "reasoning",
    text: streamOf([
      chunkOf({ role: "assistant" }),
      chunkOf({ reasoning_content: "2 +" }),
      chunkOf({ reasoning_content: " 2" }),
      chunkOf({ content: "Four." }, "length"),
      usageChunk,
    ]),
    plain: reasoned,
    wholeAfter: 4,
  },
  {
    name: "tool calls",
    text: streamOf([
      chunkOf({ role: "assistant", content: "Let me" }),
      chunkOf({ content: " see." }),
      chunkOf({
        tool_calls: [{
          index: 0,
          id: "c1",
          type: "function",
          function: { name: "weather", arguments: "" },
        }],
      }),
      chunkOf({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
      chunkOf({ tool_calls: [{ index: 0, function: { arguments: '"Köln"}' } }] }),
      chunkOf({
        tool_calls: [{
          index: 1,
          id: "c2",
          type: "function",
          function: { name: "weather", arguments: "{}" },
        }],
      }),
      chunkOf({}, "tool_calls"),
      usageChunk,
    ]),
    plain: called,
    wholeAfter: 7,
  },
];
