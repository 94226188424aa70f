import type { Call, JsonObject } from "@vmx/core/contract";
import { openaiChat } from "@vmx/dialect-openai-chat/dialect";
import { expect, test } from "vitest";
import { openaiResponses as dialect } from "./dialect.ts";

const options = { model: "gpt", family: "openai" };

const question: Call = {
  operation: "chat",
  model: "gpt",
  stream: false,
  system: [],
  turns: [{ role: "user", parts: [{ type: "text", text: "Go." }] }],
  tools: [],
  sampling: {},
  extras: {},
};

function encode(call: Partial<Call>, more: JsonObject = {}) {
  return dialect.encodeRequest({ ...question, ...call }, { ...options, ...more });
}

test("a chat request keeps its meaning in this dialect's spelling", () => {
  const chat: JsonObject = {
    model: "gpt",
    messages: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "Look" }, image, document] },
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [{ id: "call_1", type: "function", function: weatherCall }],
      },
      { role: "tool", tool_call_id: "call_1", content: "rain" },
    ],
    tools: [{ type: "function", function: { name: "weather", description: "Tells" } }],
    tool_choice: { type: "function", function: { name: "weather" } },
    response_format: {
      type: "json_schema",
      json_schema: { name: "a", schema: { type: "object" }, strict: true },
    },
    max_completion_tokens: 50,
    reasoning_effort: "low",
    verbosity: "high",
    prompt_cache_key: "k",
    user: "u1",
    logprobs: true,
    top_logprobs: 2,
  };
  const { value: call } = openaiChat.decodeRequest(chat, "chat");
  const { value: body, warnings } = dialect.encodeRequest(call, options);
  expect(warnings).toEqual([]);
  expect(body).toEqual({
    model: "gpt",
    input: [
      { role: "developer", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "input_text", text: "Look" },
          { type: "input_image", image_url: "https://example.org/a.png", detail: "low" },
          {
            type: "input_file",
            file_data: "data:application/pdf;base64,JVBERi0=",
            filename: "a.pdf",
          },
        ],
      },
      { role: "assistant", content: "Let me see." },
      { type: "function_call", call_id: "call_1", ...weatherCall },
      { type: "function_call_output", call_id: "call_1", output: "rain" },
    ],
    tools: [{
      type: "function",
      name: "weather",
      description: "Tells",
      parameters: { type: "object", properties: {} },
      strict: false,
    }],
    tool_choice: { type: "function", name: "weather" },
    text: {
      verbosity: "high",
      format: { type: "json_schema", name: "a", schema: { type: "object" }, strict: true },
    },
    reasoning: { effort: "low" },
    top_logprobs: 2,
    max_output_tokens: 50,
    safety_identifier: "u1",
    store: false,
    include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
    prompt_cache_key: "k",
  });
});

const image = {
  type: "image_url",
  image_url: { url: "https://example.org/a.png", detail: "low" },
};
const document = {
  type: "file",
  file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
};
const weatherCall = { name: "weather", arguments: '{"city":"Köln"}' };

test("system texts without a role are the instructions, late ones stay where they stood", () => {
  const { value } = encode({
    system: [{ text: "One." }, { text: "Two.", cache: {} }, {
      text: "Late.",
      late: true,
      turnsBefore: 1,
    }],
  });
  expect(value["instructions"]).toBe("One.\n\nTwo.");
  expect(value["input"]).toEqual([
    { role: "user", content: "Go." },
    { role: "system", content: "Late." },
  ]);
});

test("what the dialect has no member for is named by a warning", () => {
  const { value, warnings } = encode({
    dialect: "anthropic-messages",
    sampling: { stop: ["x"], topK: 5, temperature: 0.2, n: 1 },
    paths: { stop: "/stop_sequences" },
    extras: { container: "c" },
  });
  expect(warnings.map(({ code, path }) => [code, path]).sort()).toEqual([
    ["parameter_dropped", "/container"],
    ["parameter_dropped", "/stop_sequences"],
    ["parameter_dropped", "/top_k"],
  ]);
  expect(value["temperature"]).toBe(0.2);
});

test("several answers, foreign tools and foreign content fail the leg", () => {
  const native = { dialect: "anthropic-messages", value: {} };
  const refused = { code: "unsupported_content" };
  expect(() => encode({ sampling: { n: 2 } })).toThrow(expect.objectContaining(refused));
  expect(() => encode({ tools: [{ type: "native", kind: "bash", native }] }))
    .toThrow(expect.objectContaining(refused));
  const part = { type: "native", kind: "server_tool_use", native } as const;
  expect(() => encode({ turns: [{ role: "assistant", parts: [part] }] }))
    .toThrow(expect.objectContaining(refused));
  const audio = {
    type: "audio",
    format: "wav",
    source: { kind: "base64", mediaType: "audio/wav", data: "UklGRg==" },
  } as const;
  expect(() => encode({ turns: [{ role: "user", parts: [audio] }] }))
    .toThrow(expect.objectContaining(refused));
  const upload = { type: "image", source: { kind: "id", id: "file-1" } } as const;
  expect(() => encode({ turns: [{ role: "user", parts: [upload] }] }))
    .toThrow(expect.objectContaining({ code: "state_not_portable" }));
});

test("reasoning goes back to the family that made it and to no other", () => {
  const reasoning = {
    type: "reasoning",
    text: "Hm",
    encrypted: "gAAAAAopaque",
    family: "openai",
  } as const;
  const turns: Call["turns"] = [
    ...question.turns,
    { role: "assistant", parts: [reasoning, { type: "text", text: "Yes." }] },
  ];
  expect(encode({ turns }).value["input"]).toContainEqual({
    type: "reasoning",
    summary: [{ type: "summary_text", text: "Hm" }],
    encrypted_content: "gAAAAAopaque",
  });
  const other = encode({ turns }, { family: "groq" });
  expect(other.value["input"]).toEqual([
    { role: "user", content: "Go." },
    { role: "assistant", content: "Yes." },
  ]);
  expect(other.warnings).toMatchObject([{ code: "reasoning_dropped" }]);
});

test("tool names and call ids outside the alphabet are spelled inside it and lead back", () => {
  const id = `call_${"x".repeat(100)}`;
  const { value, toolNames } = encode({
    tools: [{ type: "function", name: "files.read" }],
    toolChoice: { type: "tool", name: "files.read" },
    turns: [
      ...question.turns,
      { role: "assistant", parts: [{ type: "tool-call", id, name: "files.read", input: {} }] },
      { role: "tool", parts: [{ type: "tool-result", callId: id, content: [] }] },
    ],
  });
  const [, call, result] = value["input"] as readonly JsonObject[];
  const name = String(call!["name"]);
  expect(name).toMatch(/^[a-zA-Z0-9_-]{1,128}$/);
  expect(value["tool_choice"]).toEqual({ type: "function", name });
  expect(value["tools"]).toMatchObject([{ name }]);
  expect(toolNames?.get(name)).toBe("files.read");
  expect(String(call!["call_id"]).length).toBeLessThanOrEqual(64);
  expect(result!["call_id"]).toBe(call!["call_id"]);
  const answer = { output: [{ type: "function_call", call_id: "c", name, arguments: "{}" }] };
  const decoded = dialect.decodeResponse(answer, "chat", { toolNames: toolNames! });
  expect(decoded.value[1]).toMatchObject({ type: "tool-call", name: "files.read" });
});

test("failed results say so in words, and images in results stay images", () => {
  const { value, warnings } = encode({
    turns: [{
      role: "tool",
      parts: [{
        type: "tool-result",
        callId: "call_1",
        isError: true,
        content: [
          { type: "text", text: "no such city" },
          { type: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBORw0K" } },
        ],
      }],
    }],
  });
  expect(value["input"]).toEqual([{
    type: "function_call_output",
    call_id: "call_1",
    output: [
      { type: "input_text", text: "Error: no such city" },
      { type: "input_image", image_url: "data:image/png;base64,iVBORw0K" },
    ],
  }]);
  expect(warnings).toMatchObject([{ code: "tool_error_flag_approximated" }]);
});

test("web search of another family is mapped, with what is lost named", () => {
  const native = { dialect: "anthropic-messages", value: {} };
  const settings = {
    allowed_domains: ["example.org"],
    user_location: { city: "Köln" },
    max_uses: 3,
  };
  const { value, warnings } = encode({ tools: [{ type: "web-search", settings, native }] });
  expect(value["tools"]).toEqual([{
    type: "web_search",
    user_location: { city: "Köln", type: "approximate" },
    filters: { allowed_domains: ["example.org"] },
  }]);
  expect(warnings.map(({ path }) => path)).toEqual(["/tools/max_uses"]);
});

test("members the service refuses are left out with a warning", () => {
  const { value, warnings } = encode({ user: "u1" }, {
    profile: { strip: ["store"], userField: "user" },
  });
  expect(value).toEqual({ model: "gpt", input: [{ role: "user", content: "Go." }], user: "u1" });
  expect(warnings).toMatchObject([{ code: "parameter_dropped", path: "/store" }]);
});
