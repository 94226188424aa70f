import type { Json, JsonObject } from "@vmx/core/contract";
import type { AnswerExample, RequestExample, StreamExample } from "@vmx/core/conformance";

const weather: JsonObject = {
  type: "function",
  name: "weather",
  description: "Tells the weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: true,
};

/** Requests with every member the dialect knows, and some it does not. */
export const requests: readonly RequestExample[] = [
  { name: "one question", body: { model: "small", input: "Grüß Gott 🌍" } },
  {
    name: "instructions and system texts in both roles and forms, one of them late",
    body: {
      model: "small",
      instructions: "Be brief.",
      input: [
        { role: "system", content: "First." },
        {
          type: "message",
          role: "developer",
          content: [
            { type: "input_text", text: "Second." },
            {
              type: "input_text",
              text: "Third.",
              prompt_cache_breakpoint: { mode: "explicit" },
            },
          ],
        },
        { role: "user", content: "Go." },
        { role: "system", content: "Late." },
        { role: "user", content: [{ type: "input_text", text: "On." }] },
        { role: "system", content: "At the end." },
      ],
    },
  },
  {
    name: "every kind of user content",
    body: {
      model: "small",
      input: [{
        type: "message",
        role: "user",
        status: "completed",
        content: [
          { type: "input_text", text: "" },
          { type: "input_image", image_url: "https://example.org/a.png", detail: "low" },
          { type: "input_image", image_url: "data:image/png;base64,iVBORw0K", file_id: null },
          { type: "input_image", file_id: "file-1", detail: "auto" },
          { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
          {
            type: "input_file",
            filename: "a.pdf",
            file_data: "data:application/pdf;base64,JVBERi0=",
          },
          { type: "input_file", filename: "b.pdf", file_data: "JVBERi0=" },
          { type: "input_file", file_url: "https://example.org/c.pdf", detail: "high" },
          { type: "input_file", file_id: "file-2" },
          { type: "hologram", depth: 3 },
        ],
      }],
    },
  },
  {
    name: "a turn with reasoning, text, parallel calls and their results",
    body: {
      model: "small",
      input: [
        { role: "user", content: "Weather?" },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "Thinking" }, {
            type: "summary_text",
            text: "…",
          }],
          content: [{ type: "reasoning_text", text: "Hm." }],
          encrypted_content: "gAAAAAopaque",
        },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          phase: "commentary",
          content: [
            { type: "output_text", text: "Let me see.", annotations: [] },
            { type: "refusal", refusal: "Not that." },
          ],
        },
        {
          type: "message",
          id: "msg_2",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "Now.", annotations: [], logprobs: [] }],
        },
        {
          type: "function_call",
          id: "fc_1",
          call_id: "call_1",
          name: "weather",
          arguments: '{"city": "Köln"}',
          status: "completed",
        },
        { type: "function_call", call_id: "call_2", name: "weather", arguments: "" },
        { type: "function_call_output", call_id: "call_1", output: "rain" },
        {
          type: "function_call_output",
          id: "fco_1",
          call_id: "call_2",
          output: [
            { type: "input_text", text: "sun" },
            { type: "input_image", image_url: "data:image/png;base64,iVBORw0K" },
          ],
        },
        { role: "assistant", content: "Sun and rain." },
        { role: "user", content: "Thanks" },
      ],
      tools: [weather],
      tool_choice: { type: "function", name: "weather" },
      parallel_tool_calls: false,
    },
  },
  {
    name: "tools and items of the provider",
    body: {
      model: "small",
      input: [
        { role: "user", content: "Do." },
        {
          type: "web_search_call",
          id: "ws_1",
          status: "completed",
          action: { type: "search", query: "x" },
        },
        { type: "item_reference", id: "msg_7" },
        { id: "msg_8" },
        {
          type: "computer_call",
          id: "cu_1",
          call_id: "call_9",
          action: { type: "screenshot" },
          pending_safety_checks: [],
          status: "completed",
        },
        {
          type: "computer_call_output",
          call_id: "call_9",
          output: { type: "computer_screenshot", image_url: "data:image/png;base64,iVBORw0K" },
        },
        { type: "custom_tool_call", call_id: "call_3", name: "shell", input: "ls" },
        { type: "custom_tool_call_output", call_id: "call_3", output: "a b" },
        { type: "mcp_approval_response", approval_request_id: "mcpr_1", approve: true },
        { type: "from_the_future", depth: 3 },
        { role: "assistant", content: [] },
      ],
      tools: [
        weather,
        { type: "custom", name: "shell", format: { type: "text" } },
        {
          type: "web_search",
          search_context_size: "low",
          user_location: { type: "approximate", city: "Köln", region: null },
          filters: { allowed_domains: ["example.org"] },
        },
        { type: "web_search_preview_2025_03_11" },
        { type: "file_search", vector_store_ids: ["vs_1"] },
        { type: "mcp", server_label: "m", server_url: "https://example.org/mcp" },
        { type: "code_interpreter", container: { type: "auto" } },
        { type: "namespace", name: "n", description: "d", tools: [weather] },
        { type: "function", name: "bare", parameters: null, strict: false, defer_loading: true },
      ],
      tool_choice: {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "function", name: "weather" }, { type: "custom", name: "shell" }],
      },
    },
  },
  {
    name: "every setting",
    body: {
      model: "small",
      input: "Go.",
      stream: true,
      stream_options: { include_obfuscation: false },
      instructions: "Be brief.",
      tool_choice: { type: "file_search" },
      tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }],
      temperature: 0.5,
      top_p: 1.0,
      top_logprobs: 2,
      max_output_tokens: 100,
      max_tool_calls: 3,
      text: {
        format: {
          type: "json_schema",
          name: "answer",
          description: "The answer",
          schema: { type: "object" },
          strict: true,
        },
        verbosity: "low",
      },
      reasoning: { effort: "high", summary: "auto", context: "all_turns" },
      service_tier: "flex",
      metadata: { a: "b" },
      safety_identifier: "user-1",
      user: "user-2",
      store: true,
      include: ["reasoning.encrypted_content", "file_search_call.results"],
      previous_response_id: "resp_0",
      conversation: { id: "conv_1" },
      prompt: { id: "pmpt_1", variables: { a: "b" } },
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      truncation: "auto",
      from_the_future: { nested: [1, null] },
    },
  },
  {
    name: "settings that are spelled out but say nothing",
    body: {
      model: "small",
      input: [{ role: "user", content: "Go." }],
      stream: false,
      background: false,
      store: false,
      instructions: null,
      temperature: null,
      top_logprobs: 0,
      truncation: "disabled",
      user: "user-1",
      reasoning: { effort: null, generate_summary: "concise" },
      text: { format: { type: "text" } },
      include: [],
      tools: [],
      previous_response_id: null,
    },
    // A list without tools is none.
    written: {
      model: "small",
      input: [{ role: "user", content: "Go." }],
      stream: false,
      background: false,
      store: false,
      instructions: null,
      temperature: null,
      top_logprobs: 0,
      truncation: "disabled",
      user: "user-1",
      reasoning: { effort: null, generate_summary: "concise" },
      text: { format: { type: "text" } },
      include: [],
      previous_response_id: null,
    },
  },
  {
    name: "an effort and a format without canonical words",
    body: {
      model: "small",
      input: "Go.",
      reasoning: { effort: "max" },
      text: { format: { type: "grammar", syntax: "lark" } },
    },
  },
];

const usage: JsonObject = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 10 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 50,
};

const shell: JsonObject = {
  object: "response",
  created_at: 1_700_000_000,
  status: "completed",
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  model: "small-2026",
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  service_tier: "default",
  store: true,
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  truncation: "disabled",
  usage,
  user: null,
  metadata: {},
};

const text = (words: string, ...annotations: readonly Json[]): JsonObject => ({
  type: "output_text",
  text: words,
  annotations,
  logprobs: [],
});

const message = (id: string, ...content: readonly JsonObject[]): JsonObject => ({
  id,
  type: "message",
  status: "completed",
  role: "assistant",
  content,
});

const response = (id: string, ...output: readonly JsonObject[]): JsonObject => ({
  id,
  ...shell,
  output,
});

const citation: JsonObject = {
  type: "url_citation",
  start_index: 0,
  end_index: 5,
  title: "Example",
  url: "https://example.org/",
};

const reasoning: JsonObject = {
  id: "rs_1",
  type: "reasoning",
  summary: [
    { type: "summary_text", text: "**Looking**" },
    { type: "summary_text", text: "**Found** – 見つけた" },
  ],
  encrypted_content: "gAAAAAopaque",
};

const call = (at: number, argumentText: string): JsonObject => ({
  id: `fc_${at}`,
  type: "function_call",
  status: "completed",
  arguments: argumentText,
  call_id: `call_${at}`,
  name: "weather",
});

const textAnswer = response("resp_1", message("msg_1", text("Hello wörld 🌍", citation)));
const toolAnswer = response(
  "resp_2",
  reasoning,
  message("msg_1", text("Let me see."), text("Twice.")),
  call(1, '{"city":"Köln"}'),
  call(2, "{}"),
);
const refusalAnswer = response(
  "resp_3",
  message("msg_1", { type: "refusal", refusal: "I will not." }),
);
const thoughtAnswer: JsonObject = {
  ...response(
    "resp_4",
    {
      id: "rs_1",
      type: "reasoning",
      summary: [],
      content: [{ type: "reasoning_text", text: "Two and two" }],
    },
    { ...message("msg_1", text("Fo")), status: "incomplete" },
  ),
  status: "incomplete",
  incomplete_details: { reason: "max_output_tokens" },
};
const search: JsonObject = {
  id: "ws_1",
  type: "web_search_call",
  status: "completed",
  action: { type: "search", query: "weather" },
};
const searchAnswer = response("resp_5", search, message("msg_1", text("Rain.", citation)));

/** Plain answers of every kind. */
export const answers: readonly AnswerExample[] = [
  { name: "text with a citation", body: textAnswer },
  { name: "reasoning, text in two parts, parallel calls", body: toolAnswer },
  { name: "refusal", body: refusalAnswer },
  { name: "cut short after shown reasoning", body: thoughtAnswer },
  { name: "web search", body: searchAnswer },
  {
    name: "filtered",
    body: {
      ...response("resp_6"),
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
    },
  },
  {
    name: "members nobody knows and usage without details",
    body: {
      ...response("resp_7", message("msg_1", text("Hi"))),
      usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
      from_the_future: { depth: 3 },
    },
  },
  {
    name: "an image, and files that are cited",
    body: response(
      "resp_8",
      {
        id: "ig_1",
        type: "image_generation_call",
        status: "completed",
        result: "iVBORw0K",
        output_format: "png",
        size: "1024x1024",
      },
      message(
        "msg_1",
        text(
          "Here",
          { type: "file_citation", file_id: "file-1", filename: "a.pdf", index: 4 },
          { type: "file_path", file_id: "file-2", index: 2 },
          { type: "from_the_future", depth: 3 },
        ),
      ),
    ),
  },
];

/** Writes events as a stream numbered from 0. */
function stream(...events: readonly (readonly [type: string, members: JsonObject])[]): string {
  return events.map(([type, members], sequence_number) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...members })}\n\n`
  ).join("");
}

type Event = readonly [type: string, members: JsonObject];

function open(answer: JsonObject): Event[] {
  const begun = {
    ...answer,
    status: "in_progress",
    incomplete_details: null,
    output: [],
    usage: null,
  };
  return [["response.created", { response: begun }], ["response.in_progress", { response: begun }]];
}

const textEvents = (
  item_id: string,
  output_index: number,
  content_index: number,
  ...deltas: readonly string[]
): Event[] => {
  const at = { item_id, output_index, content_index };
  return [
    ["response.content_part.added", { ...at, part: text("") }],
    ...deltas.map((delta): Event => ["response.output_text.delta", { ...at, delta, logprobs: [] }]),
  ];
};

const textDone = (
  item_id: string,
  output_index: number,
  content_index: number,
  words: string,
  ...annotations: readonly Json[]
): Event[] => {
  const at = { item_id, output_index, content_index };
  return [
    ["response.output_text.done", { ...at, text: words, logprobs: [] }],
    ["response.content_part.done", { ...at, part: text(words, ...annotations) }],
  ];
};

const callEvents = (at: number, output_index: number, ...deltas: readonly string[]): Event[] => {
  const item = call(at, deltas.join(""));
  const place = { item_id: `fc_${at}`, output_index };
  return [
    ["response.output_item.added", {
      output_index,
      item: { ...item, status: "in_progress", arguments: "" },
    }],
    ...deltas.map((delta): Event => [
      "response.function_call_arguments.delta",
      { ...place, delta },
    ]),
    ["response.function_call_arguments.done", { ...place, arguments: deltas.join("") }],
    ["response.output_item.done", { output_index, item }],
  ];
};

const summaryEvents: readonly Event[] = [
  ["response.output_item.added", {
    output_index: 0,
    item: { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "gAAAAAfirst" },
  }],
  ...["**Looking**", "**Found** – 見つけた"].flatMap((words, summary_index): Event[] => {
    const at = { item_id: "rs_1", output_index: 0, summary_index };
    return [
      ["response.reasoning_summary_part.added", {
        ...at,
        part: { type: "summary_text", text: "" },
      }],
      ["response.reasoning_summary_text.delta", { ...at, delta: words.slice(0, 4) }],
      ["response.reasoning_summary_text.delta", { ...at, delta: words.slice(4) }],
      ["response.reasoning_summary_text.done", { ...at, text: words }],
      ["response.reasoning_summary_part.done", {
        ...at,
        part: { type: "summary_text", text: words },
      }],
    ];
  }),
  ["response.output_item.done", { output_index: 0, item: reasoning }],
];

const openMessage = (output_index: number): Event => ["response.output_item.added", {
  output_index,
  item: { id: "msg_1", type: "message", status: "in_progress", role: "assistant", content: [] },
}];
const doneItem = (answer: JsonObject, output_index: number): Event => [
  "response.output_item.done",
  { output_index, item: (answer["output"] as readonly JsonObject[])[output_index]! },
];

/** Streamed answers with their plain forms. */
export const streams: readonly StreamExample[] = [
  {
    name: "text",
    plain: textAnswer,
    text: stream(
      ...open(textAnswer),
      openMessage(0),
      ...textEvents("msg_1", 0, 0, "Hello", " wörld", " 🌍"),
      ["response.output_text.annotation.added", {
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        annotation_index: 0,
        annotation: citation,
      }],
      ...textDone("msg_1", 0, 0, "Hello wörld 🌍", citation),
      doneItem(textAnswer, 0),
      ["response.completed", { response: textAnswer }],
    ),
  },
  {
    name: "reasoning, text and tools",
    plain: toolAnswer,
    text: stream(
      ...open(toolAnswer),
      ...summaryEvents,
      openMessage(1),
      ...textEvents("msg_1", 1, 0, "Let me", " see."),
      ...textDone("msg_1", 1, 0, "Let me see."),
      ...textEvents("msg_1", 1, 1, "Twice."),
      ...textDone("msg_1", 1, 1, "Twice."),
      doneItem(toolAnswer, 1),
      ...callEvents(1, 2, '{"city":', '"Köln"}'),
      ...callEvents(2, 3, "{}"),
      ["response.completed", { response: toolAnswer }],
    ),
  },
  {
    name: "refusal",
    plain: refusalAnswer,
    text: stream(
      ...open(refusalAnswer),
      openMessage(0),
      ["response.content_part.added", {
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        part: { type: "refusal", refusal: "" },
      }],
      ...["I will", " not."].map((delta): Event => ["response.refusal.delta", {
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        delta,
      }]),
      ["response.refusal.done", {
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        refusal: "I will not.",
      }],
      doneItem(refusalAnswer, 0),
      ["response.completed", { response: refusalAnswer }],
    ),
  },
  {
    name: "shown reasoning, cut short",
    plain: thoughtAnswer,
    text: stream(
      ...open(thoughtAnswer),
      ["response.output_item.added", {
        output_index: 0,
        item: { id: "rs_1", type: "reasoning", summary: [], content: [] },
      }],
      ...["Two", " and two"].map((delta): Event => ["response.reasoning_text.delta", {
        item_id: "rs_1",
        output_index: 0,
        content_index: 0,
        delta,
      }]),
      doneItem(thoughtAnswer, 0),
      openMessage(1),
      ...textEvents("msg_1", 1, 0, "Fo"),
      ["response.incomplete", { response: thoughtAnswer }],
    ),
  },
  {
    name: "web search",
    plain: searchAnswer,
    text: stream(
      ...open(searchAnswer),
      ["response.output_item.added", {
        output_index: 0,
        item: { id: "ws_1", type: "web_search_call", status: "in_progress" },
      }],
      ["response.web_search_call.in_progress", { item_id: "ws_1", output_index: 0 }],
      ["response.web_search_call.completed", { item_id: "ws_1", output_index: 0 }],
      doneItem(searchAnswer, 0),
      openMessage(1),
      ...textEvents("msg_1", 1, 0, "Rain."),
      // The citation comes with the part's end only.
      ...textDone("msg_1", 1, 0, "Rain.", citation),
      doneItem(searchAnswer, 1),
      ["response.completed", { response: searchAnswer }],
    ),
  },
];
