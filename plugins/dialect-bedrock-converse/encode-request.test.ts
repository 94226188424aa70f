import { expect, test } from "vitest";
import type { Call, JsonObject, Tool, Turn } from "@vmx/core/contract";
import { bedrockConverse } from "./dialect.ts";

const weather: Tool = {
  type: "function",
  name: "weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

function callOf(changes: Partial<Call> = {}): Call {
  return {
    operation: "chat",
    dialect: "openai-chat",
    model: "caller's",
    stream: false,
    system: [],
    turns: [{ role: "user", parts: [{ type: "text", text: "hello" }] }],
    tools: [],
    sampling: {},
    extras: {},
    ...changes,
  };
}

function encode(changes: Partial<Call>, profile: JsonObject = {}) {
  const written = bedrockConverse.encodeRequest(callOf(changes), {
    model: "some-model",
    family: "aws-bedrock",
    profile,
  });
  const body: JsonObject = JSON.parse(JSON.stringify(written.value));
  return { ...written, body, codes: written.warnings.map(({ code, path }) => `${code} ${path}`) };
}

const asked: Turn[] = [
  { role: "user", parts: [{ type: "text", text: "Weather?" }] },
  {
    role: "assistant",
    parts: [
      { type: "tool-call", id: "c1", name: "weather", input: { city: "A" } },
      { type: "tool-call", id: "c2", name: "weather", input: { city: "B" } },
    ],
  },
  {
    role: "tool",
    parts: [{ type: "tool-result", callId: "c1", content: [{ type: "text", text: "rain" }] }],
  },
  {
    role: "tool",
    parts: [{ type: "tool-result", callId: "c2", content: [], isError: true }],
  },
  { role: "user", parts: [{ type: "text", text: "Well?" }] },
];

test("results of parallel calls and the text after them form one message", () => {
  const { body, codes } = encode({ turns: asked, tools: [weather] });
  expect(codes).toEqual([]);
  expect(body["messages"]).toEqual([
    { role: "user", content: [{ text: "Weather?" }] },
    {
      role: "assistant",
      content: [
        { toolUse: { toolUseId: "c1", name: "weather", input: { city: "A" } } },
        { toolUse: { toolUseId: "c2", name: "weather", input: { city: "B" } } },
      ],
    },
    {
      role: "user",
      content: [
        { toolResult: { toolUseId: "c1", content: [{ text: "rain" }] } },
        { toolResult: { toolUseId: "c2", content: [{ text: "(empty)" }], status: "error" } },
        { text: "Well?" },
      ],
    },
  ]);
});

test("a choice of none leaves the tools out, unless the conversation holds calls", () => {
  const none = { tools: [weather], toolChoice: { type: "none" } } as const;
  expect(encode(none).body["toolConfig"]).toBeUndefined();
  expect(encode(none).codes).toEqual([]);
  const { body, codes } = encode({ ...none, turns: asked });
  expect(body["toolConfig"]).toMatchObject({ tools: [{}], toolChoice: { auto: {} } });
  expect(codes).toEqual(["tool_choice_approximated /tool_choice"]);
});

test("tools that were called but are offered no more are declared again", () => {
  const { body, codes } = encode({ turns: asked });
  expect(body["toolConfig"]).toEqual({
    tools: [{
      toolSpec: {
        name: "weather",
        inputSchema: { json: { type: "object", properties: {} } },
      },
    }],
  });
  expect(codes).toEqual(["tool_definition_synthesized /messages"]);
});

test("choices of tools follow what the model takes", () => {
  const tools = [weather, { ...weather, name: "other" }];
  const choose = (toolChoice: Call["toolChoice"], toolChoices?: string[]) => {
    const { body, codes } = encode({ tools, ...(toolChoice ? { toolChoice } : {}) }, {
      ...(toolChoices ? { toolChoices } : {}),
    });
    const config = body["toolConfig"] as JsonObject;
    return [config["toolChoice"], (config["tools"] as unknown[]).length, codes.length];
  };
  expect(choose({ type: "required" })).toEqual([{ any: {} }, 2, 0]);
  expect(choose({ type: "tool", name: "other" })).toEqual([{ tool: { name: "other" } }, 2, 0]);
  expect(choose({ type: "allowed", mode: "required", names: ["other"] }))
    .toEqual([{ any: {} }, 1, 0]);
  expect(choose({ type: "tool", name: "other" }, ["auto", "any"])).toEqual([{ any: {} }, 2, 1]);
  expect(choose({ type: "required" }, ["auto"])).toEqual([{ auto: {} }, 2, 1]);
  expect(choose({ type: "required" }, [])).toEqual([undefined, 2, 1]);
  expect(choose({ type: "auto" }, [])).toEqual([undefined, 2, 0]);
});

test("tool names outside the alphabet are mapped, and mapped back in answers", () => {
  const turns: Turn[] = [
    ...asked.slice(0, 1),
    {
      role: "assistant",
      parts: [{ type: "tool-call", id: "id.with:dots", name: "my.tool/x", input: {} }],
    },
    { role: "tool", parts: [{ type: "tool-result", callId: "id.with:dots", content: [] }] },
  ];
  const { body, toolNames } = encode({ turns, tools: [{ ...weather, name: "my.tool/x" }] });
  const [wire] = [...toolNames!.keys()];
  expect(wire).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(JSON.stringify(body["toolConfig"])).toContain(wire);
  const [, called, result] = body["messages"] as readonly JsonObject[];
  const use = (called!["content"] as readonly JsonObject[])[0]!["toolUse"] as JsonObject;
  const returned = (result!["content"] as readonly JsonObject[])[0]!["toolResult"] as JsonObject;
  expect(use["name"]).toBe(wire);
  expect(use["toolUseId"]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(returned["toolUseId"]).toBe(use["toolUseId"]);
  const answer = {
    output: {
      message: {
        role: "assistant",
        content: [{ toolUse: { toolUseId: "t", name: wire!, input: {} } }],
      },
    },
    stopReason: "tool_use",
  };
  const { value } = bedrockConverse.decodeResponse(answer, "chat", { toolNames: toolNames! });
  expect(value).toContainEqual(expect.objectContaining({ type: "tool-call", name: "my.tool/x" }));
  const decoder = bedrockConverse.streamDecoder({ toolNames: toolNames! });
  const start = { contentBlockIndex: 0, start: { toolUse: { toolUseId: "t", name: wire! } } };
  expect(decoder.push({ event: "contentBlockStart", data: JSON.stringify(start) }))
    .toContainEqual(
      expect.objectContaining({ block: expect.objectContaining({ name: "my.tool/x" }) }),
    );
});

const schema = { type: "object", properties: { a: { type: "string" } } };

test("a JSON Schema is asked for where the model takes it", () => {
  const output = { type: "json-schema", name: "my answer", schema, strict: true } as const;
  const { body, codes } = encode({ output }, { structuredOutput: true });
  expect(codes).toEqual([]);
  expect(body["outputConfig"]).toEqual({
    textFormat: {
      type: "json_schema",
      structure: { jsonSchema: { schema: JSON.stringify(schema), name: "my_answer" } },
    },
  });
});

test("elsewhere a tool the model must call stands in, and its arguments become the answer", () => {
  const output = { type: "json-schema", schema } as const;
  const { body, codes } = encode({ output });
  expect(codes).toEqual(["structured_output_emulated /response_format"]);
  const config = body["toolConfig"] as {
    tools: readonly unknown[];
    toolChoice: { tool: { name: string } };
  };
  const { name } = config.toolChoice.tool;
  expect(config.tools).toEqual([
    { toolSpec: expect.objectContaining({ name, inputSchema: { json: schema } }) },
  ]);
  const answer = {
    output: {
      message: {
        role: "assistant",
        content: [{ toolUse: { toolUseId: "t", name, input: { a: "b" } } }],
      },
    },
    stopReason: "tool_use",
  };
  expect(bedrockConverse.decodeResponse(answer, "chat").value).toEqual([
    { type: "start" },
    { type: "text", choice: 0, text: '{"a":"b"}' },
    { type: "finish", choice: 0, reason: "end", raw: "tool_use" },
  ]);
  const decoder = bedrockConverse.streamDecoder();
  const parts = [
    {
      event: "contentBlockStart",
      data: { contentBlockIndex: 0, start: { toolUse: { toolUseId: "t", name } } },
    },
    {
      event: "contentBlockDelta",
      data: { contentBlockIndex: 0, delta: { toolUse: { input: '{"a":' } } },
    },
    {
      event: "contentBlockDelta",
      data: { contentBlockIndex: 0, delta: { toolUse: { input: '"b"}' } } },
    },
    { event: "messageStop", data: { stopReason: "tool_use" } },
  ].flatMap(({ event, data }) => [...decoder.push({ event, data: JSON.stringify(data) })]);
  parts.push(...decoder.end());
  expect(parts.flatMap((part) => part.type === "block-delta" ? [part.text] : [])).toEqual([
    '{"a":',
    '"b"}',
  ]);
  expect(parts.at(-1)).toMatchObject({ type: "finish", reason: "end" });
});

test("beside other tools the stand-in is one of those the model must choose from", () => {
  const { body } = encode({ output: { type: "json" }, tools: [weather] });
  expect(body["toolConfig"]).toMatchObject({ tools: [{}, {}], toolChoice: { any: {} } });
});

test("effort becomes a budget that fits below the output limit, and fixes sampling", () => {
  const call = {
    reasoning: { effort: "medium" },
    maxOutputTokens: 1000,
    sampling: { temperature: 0.2, topK: 5 },
  } as const;
  const { body, codes } = encode(call, { reasoning: "budget", topK: "top_k" });
  expect(body).toMatchObject({
    additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 4096 } },
    inferenceConfig: { maxTokens: 5096 },
  });
  expect(codes).toEqual([
    "parameter_dropped /temperature",
    "parameter_dropped /top_k",
    "max_tokens_raised /max_tokens",
  ]);
  expect(encode(call).codes).toContain("parameter_dropped /reasoning_effort");
  expect(encode({ reasoning: { effort: "none" } }, { reasoning: "budget" }).body)
    .not.toHaveProperty("additionalModelRequestFields");
});

test("sampling is written as far as the model takes it", () => {
  const sampling = { temperature: 0.2, topP: 0.5, topK: 5 };
  const written = (profile: JsonObject) => {
    const { body, codes } = encode({ sampling }, profile);
    return [body["inferenceConfig"], body["additionalModelRequestFields"], codes];
  };
  expect(written({ topK: "inferenceConfig.topK" })).toEqual([
    { temperature: 0.2, topP: 0.5 },
    { inferenceConfig: { topK: 5 } },
    [],
  ]);
  expect(written({ topK: "top_k", sampling: "either" })).toEqual([
    { temperature: 0.2 },
    { top_k: 5 },
    ["parameter_dropped /top_p"],
  ]);
  expect(written({ sampling: "none" })).toEqual([undefined, undefined, [
    "parameter_dropped /temperature",
    "parameter_dropped /top_p",
    "parameter_dropped /top_k",
  ]]);
});

test("as little thinking as can be had is asked for in the model's own way", () => {
  const off = (profile: JsonObject) => {
    const { body, codes } = encode({ reasoning: { effort: "none" } }, {
      reasoning: "adaptive",
      ...profile,
    });
    return [body["additionalModelRequestFields"], codes];
  };
  expect(off({})).toEqual([undefined, []]);
  expect(off({ thinkingOff: "disabled" })).toEqual([{ thinking: { type: "disabled" } }, []]);
  expect(off({ thinkingOff: "none" })).toEqual([undefined, [
    "parameter_dropped /reasoning_effort",
  ]]);
  const forced = encode({ tools: [weather], toolChoice: { type: "required" } }, {
    reasoning: "adaptive",
    thinkingOff: "disabled",
  });
  expect(forced.body["additionalModelRequestFields"]).toEqual({ thinking: { type: "disabled" } });
  const undecided = encode({ reasoning: {} }, { reasoning: "adaptive" });
  expect(undecided.body["additionalModelRequestFields"]).toEqual({
    thinking: { type: "adaptive" },
  });
});

test("every family's spelling of effort", () => {
  const fields = (reasoning: string, effort: "low" | "xhigh") =>
    encode({ reasoning: { effort } }, { reasoning }).body["additionalModelRequestFields"];
  expect(fields("adaptive", "xhigh")).toEqual({
    thinking: { type: "adaptive" },
    output_config: { effort: "high" },
  });
  expect(fields("maxReasoningEffort", "low")).toEqual({
    reasoningConfig: { type: "enabled", maxReasoningEffort: "low" },
  });
  expect(fields("reasoning_effort", "low")).toEqual({ reasoning_effort: "low" });
});

test("a model does not reason where it must call a tool, nor without the reasoning before its calls", () => {
  const reasoning = { effort: "low" } as const;
  const tools = [weather];
  const profile = { reasoning: "budget" };
  expect(encode({ reasoning, tools, toolChoice: { type: "required" } }, profile).codes)
    .toEqual(["parameter_dropped /reasoning_effort"]);
  expect(encode({ reasoning, tools, turns: asked.slice(0, 4) }, profile).codes)
    .toEqual(["parameter_dropped /reasoning_effort"]);
  const signed = {
    type: "reasoning",
    text: "Hm.",
    signature: "c2ln",
    family: "aws-bedrock",
  } as const;
  const turns = asked.slice(0, 4).with(1, {
    role: "assistant",
    parts: [signed, ...asked[1]!.parts],
  });
  const { body, codes } = encode({ reasoning, tools, turns }, profile);
  expect(codes).toEqual([]);
  expect(JSON.stringify(body["messages"])).toContain('"signature":"c2ln"');
});

test("reasoning of other families, and without a signature, is left out with a warning", () => {
  const turns: Turn[] = [{
    role: "assistant",
    parts: [
      { type: "reasoning", text: "a", signature: "s", family: "anthropic" },
      { type: "reasoning", text: "b" },
      { type: "text", text: "c" },
    ],
  }];
  const { body, codes } = encode({ turns });
  expect(body["messages"]).toEqual([{ role: "assistant", content: [{ text: "c" }] }]);
  expect(codes).toEqual([
    "reasoning_dropped /messages/0/content/0",
    "reasoning_dropped /messages/0/content/1",
  ]);
});

test("cache marks become cache points where the service takes them", () => {
  const text = (text: string) => ({ type: "text", text, cache: { ttl: "1h" } }) as const;
  const turns: Turn[] = [
    { role: "user", parts: [text("one")] },
    {
      role: "assistant",
      parts: [
        { type: "text", text: "two" },
        { type: "reasoning", text: "r", signature: "s", family: "aws-bedrock", cache: {} },
      ],
    },
    {
      role: "user",
      parts: [{
        type: "file",
        source: { kind: "text", mediaType: "text/csv", text: "a,b" },
        cache: {},
      }],
    },
  ];
  const system = [{ text: "Be exact.", cache: {} }];
  const { body, codes } = encode({ system, turns, tools: [{ ...weather, cache: {} } as Tool] });
  const point = { cachePoint: { type: "default" } };
  expect(codes).toEqual([]);
  expect(body["system"]).toEqual([{ text: "Be exact." }, point]);
  expect((body["toolConfig"] as JsonObject)["tools"]).toEqual([expect.anything(), point]);
  const contents = (body["messages"] as readonly JsonObject[]).map(({ content }) => content);
  expect(contents[0]).toEqual([{ text: "one" }, { cachePoint: { type: "default", ttl: "1h" } }]);
  // Not behind reasoning, and not right behind a document that is turned into text.
  expect(contents[1]).toEqual([{ text: "two" }, point, { reasoningContent: expect.anything() }]);
  expect(contents[2]).toEqual([{ document: expect.anything() }, { text: "\n" }, point]);
  expect(encode({ turns: turns.slice(0, 1) }, { cachePoints: false }).codes)
    .toEqual(["cache_control_dropped /messages/0/content/0"]);
  expect(encode({ turns: turns.slice(0, 1) }, { cacheTtl: false }).codes)
    .toEqual(["cache_control_approximated /messages/0/content/0"]);
});

test("documents get names the service takes, and a text beside them", () => {
  const file = (name?: string) =>
    ({
      type: "file",
      source: { kind: "base64", mediaType: "application/pdf", data: "JVBERi0=" },
      ...(name === undefined ? {} : { name }),
    }) as const;
  const parts = [file("John's  report_v1.pdf"), file("john s report v1"), file(), file("文.pdf")];
  const { body, codes } = encode({ turns: [{ role: "user", parts }] });
  const [message] = body["messages"] as readonly JsonObject[];
  const blocks = message!["content"] as readonly JsonObject[];
  expect(blocks.map(({ document }) => (document as JsonObject | undefined)?.["name"])).toEqual([
    "John s report v1",
    "john s report v1 (2)",
    "document",
    "document (2)",
    undefined,
  ]);
  expect(blocks.at(-1)).toEqual({ text: "John s report v1" });
  expect(codes).toEqual(["document_caption_synthesized /messages/0"]);
});

test("what is told about a document, and that it is to be cited, goes with it", () => {
  const source = { kind: "base64", mediaType: "application/pdf", data: "JVBERi0=" } as const;
  const { body, codes } = encode({
    turns: [{
      role: "user",
      parts: [
        { type: "text", text: "See" },
        { type: "file", source, name: "a", context: "Of 1999", citations: true },
      ],
    }],
  });
  expect(body["messages"]).toMatchObject([{
    content: [{}, { document: { context: "Of 1999", citations: { enabled: true } } }],
  }]);
  expect(codes).toEqual([]);
});

test("what the service has no place for is refused by name", () => {
  const user = (part: Turn["parts"][number]): Partial<Call> => ({
    turns: [{ role: "user", parts: [part] }],
  });
  const refused: readonly [Partial<Call>, string][] = [
    [
      user({ type: "image", source: { kind: "url", url: "https://example.org/a.png" } }),
      "unsupported_content",
    ],
    [
      user({ type: "image", source: { kind: "base64", mediaType: "image/tiff", data: "" } }),
      "unsupported_content",
    ],
    [user({ type: "image", source: { kind: "id", id: "file-1" } }), "state_not_portable"],
    [user({ type: "file", source: { kind: "id", id: "file-1" } }), "state_not_portable"],
    [
      user({
        type: "audio",
        format: "wav",
        source: { kind: "base64", mediaType: "audio/wav", data: "" },
      }),
      "unsupported_content",
    ],
    [
      user({ type: "native", kind: "computer_call", native: { dialect: "x", value: {} } }),
      "unsupported_content",
    ],
    [{ sampling: { n: 2 } }, "unsupported_content"],
    [
      { tools: [{ type: "native", kind: "computer", native: { dialect: "x", value: {} } }] },
      "unsupported_content",
    ],
    [
      { tools: [{ type: "web-search", settings: {}, native: { dialect: "x", value: {} } }] },
      "unsupported_content",
    ],
  ];
  for (const [changes, code] of refused) {
    expect(() => encode(changes)).toThrow(expect.objectContaining({ code }));
  }
  const search: Tool = { type: "web-search", settings: {}, native: { dialect: "x", value: {} } };
  expect(encode({ tools: [search] }, { webSearchTool: "nova_grounding" }).body["toolConfig"])
    .toEqual({ tools: [{ systemTool: { name: "nova_grounding" } }] });
});

test("images keep their bytes, and objects of the service's own storage their address", () => {
  const parts = [
    {
      type: "image",
      detail: "high",
      source: { kind: "base64", mediaType: "image/jpg", data: "/9j/" },
    },
    { type: "image", source: { kind: "url", url: "s3://bucket/a.webp" } },
  ] as const;
  const { body, codes } = encode({ turns: [{ role: "user", parts }] });
  expect((body["messages"] as readonly JsonObject[])[0]!["content"]).toEqual([
    { image: { format: "jpeg", source: { bytes: "/9j/" } } },
    { image: { format: "webp", source: { s3Location: { uri: "s3://bucket/a.webp" } } } },
  ]);
  expect(codes).toEqual(["image_detail_dropped /messages/0/content/0"]);
});

test("settings without a counterpart are named, defaults are not", () => {
  const { codes, body } = encode({
    sampling: {
      seed: 1,
      frequencyPenalty: 0,
      presencePenalty: 0.5,
      topK: 3,
      topP: 0.5,
      stop: ["", "x"],
    },
    user: "u",
    serviceTier: "auto",
    metadata: { team: "blue", odd: "ü" },
    parallelToolCalls: true,
    extras: { stream_options: {}, store: false, verbosity: "low" },
  });
  expect(codes).toEqual([
    "parameter_dropped /presence_penalty",
    "parameter_dropped /seed",
    "parameter_dropped /user",
    "parameter_dropped /verbosity",
    "parameter_dropped /top_k",
    "parameter_dropped /metadata/odd",
  ]);
  expect(body).toMatchObject({
    inferenceConfig: { topP: 0.5, stopSequences: ["x"] },
    requestMetadata: { team: "blue" },
  });
});

test("late system texts move to the head, with a warning", () => {
  const system = [
    { text: "first" },
    { text: "" },
    { text: "late", late: true, turnsBefore: 1 },
  ];
  const { body, codes } = encode({ system });
  expect(body["system"]).toEqual([{ text: "first" }, { text: "late" }]);
  expect(codes).toEqual(["system_moved /system/2"]);
});

test("embeddings are written as the model's family spells them", () => {
  const embed = (model: string, input: readonly (string | number[])[], dimensions?: number) =>
    bedrockConverse.encodeRequest(
      callOf({
        operation: "embeddings",
        turns: [],
        embeddings: { input, ...(dimensions === undefined ? {} : { dimensions }) },
      }),
      { model, family: "aws-bedrock" },
    );
  expect(embed("amazon.titan-embed-text-v2:0", ["a"], 256).value)
    .toEqual({ inputText: "a", dimensions: 256 });
  expect(embed("amazon.titan-embed-text-v1", ["a"], 256)).toMatchObject({
    value: { inputText: "a" },
    warnings: [{ code: "parameter_dropped", path: "/dimensions" }],
  });
  expect(embed("cohere.embed-english-v3", ["a", "b"]).value)
    .toEqual({ texts: ["a", "b"], input_type: "search_document" });
  expect(embed("amazon.nova-2-multimodal-embeddings-v1:0", ["a"], 384).value).toMatchObject({
    taskType: "SINGLE_EMBEDDING",
    singleEmbeddingParams: { embeddingDimension: 384, text: { value: "a" } },
  });
  for (
    const refused of [
      () => embed("amazon.titan-embed-text-v2:0", ["a", "b"]),
      () => embed("cohere.embed-english-v3", [[1, 2]]),
      () => embed("meta.llama3-8b", ["a"]),
    ]
  ) expect(refused).toThrow(expect.objectContaining({ code: "unsupported_content" }));
  const path = bedrockConverse.requestPath({
    operation: "embeddings",
    model: "a:0",
    stream: false,
  });
  expect(path).toBe("/model/a%3A0/invoke");
});
