import { expect, test } from "vitest";
import type { Call, DialectProfile, JsonObject, Tool, Turn } from "@vmx/core/contract";
import { encodeRequest } from "./encode-request.ts";

const weather: Tool = {
  type: "function",
  name: "weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

const base: Call = {
  operation: "chat",
  dialect: "openai-chat",
  model: "any",
  stream: false,
  system: [],
  turns: [{ role: "user", parts: [{ type: "text", text: "Hello" }] }],
  tools: [],
  sampling: {},
  extras: {},
};

function encode(more: Partial<Call>, profile?: DialectProfile, family = "anthropic") {
  const options = { model: "claude-test", family, ...(profile ? { profile } : {}) };
  const { value, warnings, toolNames } = encodeRequest({ ...base, ...more }, options);
  return { body: value, codes: warnings.map(({ code, path }) => `${code} ${path}`), toolNames };
}

const call = (id: string, name = "weather"): Turn => ({
  role: "assistant",
  parts: [{ type: "tool-call", id, name, input: { city: "Köln" } }],
});
const result = (callId: string, text: string): Turn => ({
  role: "tool",
  parts: [{ type: "tool-result", callId, content: [{ type: "text", text }] }],
});

test("the required output limit is filled in silently, within the model's maximum", () => {
  expect(encode({})).toEqual({
    body: {
      model: "claude-test",
      max_tokens: 4096,
      messages: [{ role: "user", content: "Hello" }],
    },
    codes: [],
    toolNames: undefined,
  });
  expect(encode({}, { maxTokens: 1000 }).body["max_tokens"]).toBe(1000);
  expect(encode({ maxOutputTokens: 7 }).body["max_tokens"]).toBe(7);
});

test("system texts are joined by a blank line, and a late one is moved to the front", () => {
  const { body, codes } = encode({
    system: [{ text: "One" }, { text: "Two", late: true, turnsBefore: 1 }],
  });
  expect(body["system"]).toBe("One\n\nTwo");
  expect(codes).toEqual(["system_moved /messages"]);
});

test("system texts with cache marks stay apart", () => {
  const { body } = encode({ system: [{ text: "One", cache: { ttl: "1h" } }, { text: "Two" }] });
  expect(body["system"]).toEqual([
    { type: "text", text: "One", cache_control: { type: "ephemeral", ttl: "1h" } },
    { type: "text", text: "Two" },
  ]);
});

test("a request of system texts alone asks them", () => {
  const { body } = encode({ system: [{ text: "Say hi." }], turns: [] });
  expect(body).toMatchObject({ messages: [{ role: "user", content: "Say hi." }] });
  expect(body["system"]).toBeUndefined();
});

test("results of parallel calls come first in one user message, before what the user adds", () => {
  const { body } = encode({
    tools: [weather],
    turns: [
      base.turns[0]!,
      {
        role: "assistant",
        parts: [...call("call_1").parts, ...call("call_2").parts],
      },
      result("call_1", "rain"),
      result("call_2", ""),
      { role: "user", parts: [{ type: "text", text: "" }, { type: "text", text: "Thanks" }] },
    ],
  });
  const messages = body["messages"] as readonly JsonObject[];
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  expect(messages[2]!["content"]).toEqual([
    { type: "tool_result", tool_use_id: "call_1", content: "rain" },
    { type: "tool_result", tool_use_id: "call_2", content: "" },
    { type: "text", text: "Thanks" },
  ]);
});

test("tool names outside the alphabet are spelled inside it everywhere, and lead back", () => {
  const { body, toolNames } = encode({
    tools: [{ ...weather, name: "weather.today" } as Tool],
    toolChoice: { type: "tool", name: "weather.today" },
    turns: [base.turns[0]!, call("call.1", "weather.today"), result("call.1", "rain")],
  });
  const [tool] = body["tools"] as readonly JsonObject[];
  const wire = String(tool!["name"]);
  expect(wire).toMatch(/^[a-zA-Z0-9_-]{1,128}$/);
  expect(toolNames?.get(wire)).toBe("weather.today");
  expect(body["tool_choice"]).toEqual({ type: "tool", name: wire });
  const [, asked, answered] = body["messages"] as readonly { content: readonly JsonObject[] }[];
  expect(asked!.content[0]!["name"]).toBe(wire);
  expect(asked!.content[0]!["id"]).toMatch(/^[a-zA-Z0-9_-]+$/);
  expect(answered!.content[0]!["tool_use_id"]).toBe(asked!.content[0]!["id"]);
});

test("an allowed subset filters the tools", () => {
  const { body } = encode({
    tools: [weather, { ...weather, name: "clock" } as Tool],
    toolChoice: { type: "allowed", mode: "required", names: ["clock"] },
    parallelToolCalls: false,
  });
  expect((body["tools"] as readonly JsonObject[]).map(({ name }) => name)).toEqual(["clock"]);
  expect(body["tool_choice"]).toEqual({ type: "any", disable_parallel_tool_use: true });
});

test("a choice that names an absent tool is refused", () => {
  expect(() => encode({ tools: [weather], toolChoice: { type: "tool", name: "clock" } }))
    .toThrow('names the tool "clock", which is not among the tools');
});

test("what only other families have is refused by name", () => {
  const value = { type: "computer_use_preview" };
  const foreign = { dialect: "openai-responses", value };
  expect(() => encode({ tools: [{ type: "native", kind: "computer_use", native: foreign }] }))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
  expect(() => encode({ sampling: { n: 2 } }))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
  const audio = {
    type: "audio",
    source: { kind: "url", url: "https://a" },
    format: "wav",
  } as const;
  expect(() => encode({ turns: [{ role: "user", parts: [audio] }] }))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
  const file = { type: "file", source: { kind: "id", id: "file-1" } } as const;
  expect(() => encode({ turns: [{ role: "user", parts: [file] }] }))
    .toThrow(expect.objectContaining({ code: "state_not_portable" }));
});

test("a web search of another family becomes this family's", () => {
  const { body, codes } = encode({
    tools: [{
      type: "web-search",
      settings: { context_size: "high", max_uses: 3, user_location: { city: "Köln" } },
      native: { dialect: "openai-chat", value: {} },
    }],
  });
  expect(body["tools"]).toEqual([{
    type: "web_search_20250305",
    name: "web_search",
    max_uses: 3,
    user_location: { type: "approximate", city: "Köln" },
  }]);
  expect(codes).toEqual(["parameter_dropped /tools/0/context_size"]);
});

test("documents of text types are given as text, others are refused", () => {
  const file = (mediaType: string): Turn => ({
    role: "user",
    parts: [{
      type: "file",
      name: "a",
      source: { kind: "base64", mediaType, data: Buffer.from("a,b – ü").toString("base64") },
    }],
  });
  const { body } = encode({ turns: [file("text/csv")] });
  expect(body["messages"]).toEqual([{
    role: "user",
    content: [{
      type: "document",
      title: "a",
      source: { type: "text", media_type: "text/plain", data: "a,b – ü" },
    }],
  }]);
  expect(() => encode({ turns: [file("application/zip")] })).toThrow("application/zip");
});

test("an effort becomes a budget, and the output limit is raised to hold it", () => {
  const low = encode({ reasoning: { effort: "low" }, maxOutputTokens: 2000 });
  expect(low.body["thinking"]).toEqual({ type: "enabled", budget_tokens: 1024 });
  expect([low.body["max_tokens"], low.codes]).toEqual([2000, []]);

  const high = encode({ reasoning: { effort: "high" }, maxOutputTokens: 2000 });
  expect(high.body["thinking"]).toEqual({ type: "enabled", budget_tokens: 12_288 });
  expect([high.body["max_tokens"], high.codes]).toEqual([14_288, [
    "max_tokens_raised /max_tokens",
  ]]);

  const unset = encode({ reasoning: { budgetTokens: 100 } });
  expect(unset.body["thinking"]).toEqual({ type: "enabled", budget_tokens: 1024 });
  const open = encode({ reasoning: { effort: "medium" } });
  expect([open.body["max_tokens"], open.codes]).toEqual([8192, []]);

  const capped = encode({ reasoning: { effort: "xhigh" } }, { maxTokens: 8000 });
  expect(capped.body["thinking"]).toEqual({ type: "enabled", budget_tokens: 7999 });
  expect(capped.body["max_tokens"]).toBe(8000);
  expect(encode({ reasoning: { effort: "none" } }).body["thinking"]).toEqual({ type: "disabled" });
});

test("newer models are told the effort and think as they see fit", () => {
  const adaptive = { thinking: "adaptive" };
  const { body, codes } = encode({ reasoning: { effort: "xhigh", summary: "auto" } }, adaptive);
  expect(body["thinking"]).toEqual({ type: "adaptive", display: "summarized" });
  expect(body["output_config"]).toEqual({ effort: "high" });
  expect(codes).toEqual(["reasoning_effort_approximated /reasoning_effort"]);
  expect(encode({ reasoning: { effort: "low" } }, { thinking: "none" }).codes)
    .toEqual(["parameter_dropped /reasoning_effort"]);
  const restless = { ...adaptive, thinkingOff: "none" };
  expect(encode({ reasoning: { effort: "none" } }, restless)).toMatchObject({
    body: { output_config: { effort: "low" } },
    codes: ["reasoning_effort_approximated /reasoning_effort"],
  });
});

test("thinking gives way to a forced tool and to unsigned calls, and drops what it excludes", () => {
  const reasoning = { effort: "low" } as const;
  const forced = encode({ reasoning, tools: [weather], toolChoice: { type: "required" } });
  expect(forced.body["thinking"]).toBeUndefined();
  expect(forced.codes).toEqual(["parameter_dropped /reasoning_effort"]);

  const unsigned = encode({
    reasoning,
    tools: [weather],
    turns: [base.turns[0]!, call("call_1"), result("call_1", "rain")],
  });
  expect(unsigned.body["thinking"]).toBeUndefined();
  expect(unsigned.codes).toEqual(["reasoning_dropped /reasoning_effort"]);

  const warm = encode({ reasoning, sampling: { temperature: 0.3, topK: 4, topP: 0.5 } });
  expect(warm.codes.sort()).toEqual([
    "parameter_dropped /temperature",
    "parameter_dropped /top_k",
    "parameter_dropped /top_p",
  ]);
});

test("a model that thinks by itself is told not to beside a forced call, or is not forced", () => {
  const members = { tools: [weather], toolChoice: { type: "required" } } as const;
  const adaptive = { thinking: "adaptive" };
  expect(encode(members, adaptive).body["thinking"]).toEqual({ type: "disabled" });
  expect(encode({ tools: [weather] }, adaptive).body["thinking"]).toBeUndefined();
  const free = encode(members, { ...adaptive, thinkingOff: "none", forcedToolUse: false });
  expect(free.body["tool_choice"]).toEqual({ type: "auto" });
  expect(free.body["thinking"]).toBeUndefined();
  expect(free.codes).toEqual(["tool_choice_approximated /tool_choice"]);
});

test("signed reasoning goes back to its own family only", () => {
  const turns: Turn[] = [
    base.turns[0]!,
    {
      role: "assistant",
      parts: [
        { type: "reasoning", text: "Hm", signature: "sig", family: "anthropic" },
        { type: "reasoning", text: "", encrypted: "enc", family: "anthropic" },
        { type: "text", text: "Yes" },
      ],
    },
    base.turns[0]!,
  ];
  const own = encode({ turns });
  expect((own.body["messages"] as readonly JsonObject[])[1]!["content"]).toEqual([
    { type: "thinking", thinking: "Hm", signature: "sig" },
    { type: "redacted_thinking", data: "enc" },
    { type: "text", text: "Yes" },
  ]);
  const other = encode({ turns }, undefined, "elsewhere");
  expect((other.body["messages"] as readonly JsonObject[])[1]!["content"]).toEqual([
    { type: "text", text: "Yes" },
  ]);
  expect(other.codes).toEqual(["reasoning_dropped /messages/1"]);
});

test("a JSON Schema is native where the profile says so, else a forced tool", () => {
  const output = {
    type: "json-schema",
    name: "dog",
    strict: true,
    schema: {
      type: "object",
      properties: { age: { type: "integer", minimum: 1 }, tag: { oneOf: [{ type: "string" }] } },
    },
  } as const;
  const native = encode({ output }, { structuredOutput: "output_config" });
  expect(native.body["output_config"]).toEqual({
    format: {
      type: "json_schema",
      schema: {
        type: "object",
        properties: { age: { type: "integer" }, tag: { anyOf: [{ type: "string" }] } },
        additionalProperties: false,
      },
    },
  });
  expect(native.codes).toEqual([
    "schema_simplified /response_format/json_schema/schema/properties/age/minimum",
  ]);

  const emulated = encode({ output });
  expect(emulated.body["tools"]).toMatchObject([{
    name: "vmx_structured_output",
    input_schema: output.schema,
  }]);
  expect(emulated.body["tool_choice"]).toEqual({
    type: "tool",
    name: "vmx_structured_output",
    disable_parallel_tool_use: true,
  });
  expect(emulated.codes).toEqual(["structured_output_emulated /response_format"]);
  const beside = encode({ output, tools: [weather] });
  expect(beside.body["tool_choice"]).toMatchObject({ type: "any" });
  const silenced = encode({ output, tools: [weather], toolChoice: { type: "none" } });
  expect(silenced.body["tool_choice"]).toMatchObject({ name: "vmx_structured_output" });
  const calling = encode({ output, tools: [weather], toolChoice: { type: "required" } });
  expect(calling.body).toMatchObject({
    tools: [{ name: "weather" }],
    tool_choice: { type: "any" },
  });
  const list = { type: "json-schema", schema: { type: "array", items: {} } } as const;
  expect(encode({ output: list }).body["tools"]).toMatchObject([{
    input_schema: { type: "object", properties: { value: list.schema }, required: ["value"] },
  }]);
});

test("settings without a counterpart are dropped by name, and those that change nothing silently", () => {
  const { codes, body } = encode({
    sampling: {
      temperature: 1.5,
      seed: 1,
      frequencyPenalty: 0,
      presencePenalty: 1,
      logitBias: { "1": 2 },
      logprobs: true,
      topLogprobs: 2,
      stop: ["\n", "END"],
    },
    user: "user-1",
    serviceTier: "flex",
    metadata: { a: "b" },
    extras: { store: false, prompt_cache_key: "k", prediction: { type: "content" } },
  });
  expect(codes.sort()).toEqual([
    "parameter_approximated /temperature",
    "parameter_dropped /logit_bias",
    "parameter_dropped /logprobs",
    "parameter_dropped /metadata",
    "parameter_dropped /prediction",
    "parameter_dropped /presence_penalty",
    "parameter_dropped /seed",
    "parameter_dropped /service_tier",
    "parameter_dropped /stop",
    "parameter_dropped /top_logprobs",
  ]);
  expect(body).toMatchObject({
    temperature: 1,
    stop_sequences: ["END"],
    metadata: { user_id: "user-1" },
  });
});

test("a tool's schema is an object without unions at its top", () => {
  const tool = (parameters?: JsonObject): JsonObject => {
    const given = { type: "function", name: "t", ...(parameters ? { parameters } : {}) } as const;
    const [written] = encode({ tools: [given] }).body["tools"] as readonly JsonObject[];
    return written!["input_schema"] as JsonObject;
  };
  expect(tool()).toEqual({ type: "object", properties: {} });
  expect(tool({ properties: { a: {} } })).toEqual({ type: "object", properties: { a: {} } });
  expect(tool({
    anyOf: [
      { properties: { a: { type: "string" }, c: {} }, required: ["a", "c"] },
      { properties: { b: { type: "number" }, c: {} }, required: ["b", "c"] },
    ],
  })).toEqual({
    type: "object",
    properties: { a: { type: "string" }, b: { type: "number" }, c: {} },
    required: ["c"],
  });
});

test("a token count has no member that governs an answer", () => {
  const { body } = encode({
    operation: "count-tokens",
    sampling: { temperature: 0.1 },
    tools: [weather],
  });
  expect(Object.keys(body).sort()).toEqual(["messages", "model", "tools"]);
});

test("members the profile refuses are left out with a warning", () => {
  const { body, codes } = encode({ sampling: { topK: 3 } }, { strip: ["top_k"] });
  expect(body["top_k"]).toBeUndefined();
  expect(codes).toEqual(["parameter_dropped /top_k"]);
});
