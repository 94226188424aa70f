import { expect, test } from "vitest";
import type {
  Call,
  ContentPart,
  DialectProfile,
  JsonObject,
  Part,
  ReasoningSettings,
  Tool,
  Turn,
} from "@vmx/core/contract";
import { geminiGenerateContent as dialect } from "./dialect.ts";

const user = (...parts: ContentPart[]): Turn => ({ role: "user", parts });
const text = (text: string): ContentPart => ({ type: "text", text });

function callOf(members: Partial<Call> = {}): Call {
  return {
    operation: "chat",
    dialect: "openai-chat",
    model: "m",
    stream: false,
    system: [],
    turns: [user(text("Hi"))],
    tools: [],
    sampling: {},
    extras: {},
    ...members,
  };
}

/** The members of a written body the tests look into. */
interface Body {
  readonly contents: readonly JsonObject[];
  readonly systemInstruction?: JsonObject;
  readonly tools: readonly { readonly functionDeclarations: readonly JsonObject[] }[];
  readonly toolConfig?: JsonObject;
  readonly generationConfig?: JsonObject;
}

function encode(members: Partial<Call>, profile: DialectProfile = {}) {
  const options = { model: "gemini-2.5-flash", family: "gemini", profile };
  const { value, warnings, toolNames } = dialect.encodeRequest(callOf(members), options);
  const body = JSON.parse(JSON.stringify(value)) as Body;
  return { body, codes: warnings.map(({ code, path }) => `${code} ${path}`), toolNames };
}

const contentsOf = (turns: readonly Turn[], profile?: DialectProfile) =>
  encode({ turns }, profile).body.contents;

function thinking(reasoning: ReasoningSettings, profile?: DialectProfile) {
  const { body, codes } = encode({ reasoning }, profile);
  return { config: body.generationConfig?.["thinkingConfig"], codes };
}

test("effort becomes a budget, and none switches reasoning off", () => {
  expect(thinking({ effort: "medium" })).toEqual({
    config: { thinkingBudget: 4096, includeThoughts: true },
    codes: [],
  });
  expect(thinking({ effort: "none" })).toEqual({ config: { thinkingBudget: 0 }, codes: [] });
  expect(thinking({ budgetTokens: 700, summary: "omitted" }).config).toEqual({
    thinkingBudget: 700,
  });
});

test("a budget the model does not take is moved to its bounds with a warning", () => {
  const warned = ["reasoning_effort_approximated /reasoning_effort"];
  expect(thinking({ effort: "xhigh" }, { maxBudget: 24_576 })).toEqual({
    config: { thinkingBudget: 24_576, includeThoughts: true },
    codes: warned,
  });
  expect(thinking({ effort: "none" }, { minBudget: 128, mayReasonNot: false })).toEqual({
    config: { thinkingBudget: 128 },
    codes: warned,
  });
});

test("effort becomes the nearest level that is not above it", () => {
  const level = (reasoning: ReasoningSettings, levels: string[]) =>
    thinking(reasoning, { thinking: "level", levels });
  expect(level({ effort: "high" }, ["low", "high"])).toEqual({
    config: { thinkingLevel: "HIGH", includeThoughts: true },
    codes: [],
  });
  expect(level({ effort: "medium" }, ["low", "high"])).toMatchObject({
    config: { thinkingLevel: "LOW" },
    codes: ["reasoning_effort_approximated /reasoning_effort"],
  });
  expect(level({ effort: "none" }, ["minimal", "low"]).config).toEqual({
    thinkingLevel: "MINIMAL",
  });
  expect(level({ budgetTokens: 5000 }, ["low", "medium"]).config).toMatchObject({
    thinkingLevel: "MEDIUM",
  });
});

test("a model that does not reason is not asked to", () => {
  expect(thinking({ effort: "high" }, { thinking: "none" })).toEqual({
    config: undefined,
    codes: ["parameter_dropped /reasoning_effort"],
  });
  expect(thinking({ effort: "none" }, { thinking: "none" }).codes).toEqual([]);
});

const schema: JsonObject = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    name: { type: ["string", "null"], format: "uuid" },
    next: { $ref: "#" },
  },
  additionalProperties: false,
};
const tool = { type: "function", name: "f", description: "d", parameters: schema } as const;

test("schemas are rewritten, with warnings where the caller wrote them", () => {
  const at = "/tools/0/function/parameters";
  const { body, codes } = encode({ tools: [tool] });
  expect(body.tools[0]?.functionDeclarations[0]).toMatchObject({
    name: "f",
    description: "d",
    parameters: { type: "object", properties: { name: { type: "string", nullable: true } } },
  });
  expect(codes.sort()).toEqual([
    `schema_recursion_cut ${at}/properties/next/$ref`,
    `schema_simplified ${at}/additionalProperties`,
    `schema_simplified ${at}/properties/name/format`,
  ]);
  const parametersPath = "/tools/0/input_schema";
  expect(encode({ tools: [{ ...tool, parametersPath }] }).codes[0]).toContain(parametersPath);
});

test("the form of an answer is written as a schema", () => {
  const output = { type: "json-schema", name: "a", schema: { type: "object", not: {} } } as const;
  const { body, codes } = encode({ output });
  expect(body.generationConfig).toEqual({
    responseMimeType: "application/json",
    responseSchema: { type: "object" },
  });
  expect(codes).toEqual(["schema_simplified /response_format/json_schema/schema/not"]);
  expect(encode({ output: { type: "json" } }).body.generationConfig).toEqual({
    responseMimeType: "application/json",
  });
  const asJsonSchema = encode({ output, tools: [tool] }, { jsonSchema: true }).body;
  expect(asJsonSchema.generationConfig).toHaveProperty("responseJsonSchema");
  expect(asJsonSchema.tools[0]?.functionDeclarations[0])
    .toMatchObject({ parametersJsonSchema: { additionalProperties: false } });
});

test("a function that takes nothing declares nothing", () => {
  for (const parameters of [{}, { type: "object", properties: {}, additionalProperties: false }]) {
    const { body } = encode({ tools: [{ type: "function", name: "f", parameters }] });
    expect(body.tools).toEqual([{ functionDeclarations: [{ name: "f" }] }]);
  }
});

test("names outside the alphabet are mapped, and mapped back in the answer", () => {
  const { body, toolNames } = encode({
    tools: [{ type: "function", name: "Übersetze Text" }],
    toolChoice: { type: "tool", name: "Übersetze Text" },
  });
  const [name = ""] = [...toolNames!.keys()];
  expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$/);
  expect(body.toolConfig).toEqual({
    functionCallingConfig: { mode: "ANY", allowedFunctionNames: [name] },
  });
  const answer = answerOf([{ functionCall: { name, args: {} } }]);
  const [, called] = dialect.decodeResponse(answer, "chat", { toolNames: toolNames! }).value;
  expect(called).toMatchObject({ type: "tool-call", name: "Übersetze Text" });
});

test("a choice narrows by names where it forces, and by the list where it does not", () => {
  const tools: Tool[] = ["a", "b"].map((name) => ({ type: "function", name }));
  const choose = (mode: "auto" | "required") =>
    encode({ tools, toolChoice: { type: "allowed", mode, names: ["b"] } }).body;
  expect(choose("required")).toMatchObject({
    tools: [{ functionDeclarations: [{ name: "a" }, { name: "b" }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["b"] } },
  });
  expect(choose("auto")).toMatchObject({
    tools: [{ functionDeclarations: [{ name: "b" }] }],
    toolConfig: { functionCallingConfig: { mode: "AUTO" } },
  });
});

function answerOf(parts: readonly JsonObject[]): JsonObject {
  return {
    responseId: "r1",
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP" }],
  };
}

function callsOf(answer: readonly Part[]) {
  return answer.filter((part) => part.type === "tool-call");
}

test("a signature travels in the id of its call and comes back to its part", () => {
  const parts = [
    { functionCall: { name: "f", args: { a: 1 } }, thoughtSignature: "c2lnbmF0dXJl" },
    { functionCall: { id: "own", name: "f", args: {} } },
  ];
  const [first, second] = callsOf(dialect.decodeResponse(answerOf(parts), "chat").value);
  expect(first!.id).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(second!.id).toBe("own");
  // A plain client gives back id, name and arguments, and nothing else.
  const turns: Turn[] = [
    user(text("Hi")),
    {
      role: "assistant",
      parts: [
        { type: "tool-call", id: first!.id, name: "f", input: { a: 1 } },
        { type: "tool-call", id: second!.id, name: "f", input: {} },
      ],
    },
    {
      role: "tool",
      parts: [{ type: "tool-result", callId: first!.id, content: [{ type: "text", text: "1" }] }],
    },
    {
      role: "tool",
      parts: [{ type: "tool-result", callId: second!.id, content: [], isError: true }],
    },
  ];
  expect(contentsOf(turns).slice(1)).toEqual([
    { role: "model", parts },
    {
      role: "user",
      parts: [
        { functionResponse: { name: "f", response: { output: "1" } } },
        { functionResponse: { id: "own", name: "f", response: { error: "" } } },
      ],
    },
  ]);
});

test("calls without an id get one that is the same each time and told apart by place", () => {
  const answer = answerOf([{ functionCall: { name: "f" } }, { functionCall: { name: "f" } }]);
  const ids = () => callsOf(dialect.decodeResponse(answer, "chat").value).map(({ id }) => id);
  expect(ids()).toEqual(ids());
  expect(new Set(ids()).size).toBe(2);
  const first = (answer: JsonObject) =>
    callsOf(dialect.decodeResponse(answer, "chat").value)[0]!.id;
  expect(first({ ...answer, responseId: "r2" })).not.toBe(ids()[0]);
  const { responseId: _id, ...unnamed } = answer;
  const asking = answerOf([{ functionCall: { name: "f", args: { a: 1 } } }]);
  expect(first(unnamed)).not.toBe(first({ candidates: asking["candidates"] }));
});

test("the first call of a turn that another model made gets the stand-in for its signature", () => {
  const made = (id: string): ContentPart => ({ type: "tool-call", id, name: "f", input: {} });
  const turns: Turn[] = [{ role: "assistant", parts: [text("So:"), made("a"), made("b")] }];
  expect(contentsOf(turns, { signaturePlaceholder: "skip" })).toEqual([{
    role: "model",
    parts: [
      { text: "So:" },
      { functionCall: { id: "a", name: "f", args: {} }, thoughtSignature: "skip" },
      { functionCall: { id: "b", name: "f", args: {} } },
    ],
  }]);
});

test("reasoning goes back to its own family only", () => {
  const reasoning = (family?: string): ContentPart => ({
    type: "reasoning",
    text: "Hm.",
    signature: "c2ln",
    ...(family === undefined ? {} : { family }),
  });
  const given = (parts: ContentPart[]) => encode({ turns: [{ role: "assistant", parts }] });
  expect(given([reasoning("gemini"), text("So.")]).body.contents).toEqual([{
    role: "model",
    parts: [{ text: "Hm.", thought: true }, { text: "So.", thoughtSignature: "c2ln" }],
  }]);
  expect(given([text("So."), reasoning("gemini")]).body.contents).toMatchObject([{
    parts: [{ text: "So.", thoughtSignature: "c2ln" }, { thought: true }],
  }]);
  for (const family of ["other", undefined]) {
    const { body, codes } = given([reasoning(family), text("So.")]);
    expect(body.contents).toEqual([{ role: "model", parts: [{ text: "So." }] }]);
    expect(codes).toEqual(["reasoning_dropped /messages/0/content/0"]);
  }
});

const image: ContentPart = {
  type: "image",
  source: { kind: "base64", mediaType: "image/png", data: "iVBO" },
  detail: "high",
};

test("images of results stand in the result where the model takes them, else beside it", () => {
  const { detail: _detail, ...bare } = image as Extract<ContentPart, { type: "image" }>;
  const turns: Turn[] = [
    { role: "assistant", parts: [{ type: "tool-call", id: "a", name: "f", input: {} }] },
    {
      role: "tool",
      parts: [{ type: "tool-result", callId: "a", content: [{ type: "text", text: "x" }, bare] }],
    },
  ];
  const inline = { inlineData: { mimeType: "image/png", data: "iVBO" } };
  const response = { id: "a", name: "f", response: { output: "x" } };
  expect(contentsOf(turns)[1]).toMatchObject({ parts: [{ functionResponse: response }, inline] });
  expect(contentsOf(turns, { mediaInResults: true })[1]).toMatchObject({
    parts: [{ functionResponse: { ...response, parts: [inline] } }],
  });
});

test("media go as bytes or as the URLs the service fetches by itself", () => {
  const given = (part: ContentPart) => encode({ turns: [user(part)] });
  const fromUrl = (url: string): ContentPart => ({ type: "image", source: { kind: "url", url } });
  expect(given(image).codes).toEqual(["image_detail_dropped /messages/0/content/0"]);
  expect(given(fromUrl("gs://b/a.png")).body.contents).toMatchObject([{
    parts: [{ fileData: { mimeType: "image/png", fileUri: "gs://b/a.png" } }],
  }]);
  expect(dialect.takesMediaUrl!("https://youtu.be/x")).toBe(true);
  expect(dialect.takesMediaUrl!("https://example.org/a.png")).toBe(false);
  expect(() => given(fromUrl("https://example.org/a.png")))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
  const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
  const file = (source: Extract<ContentPart, { type: "file" }>["source"]): ContentPart => ({
    type: "file",
    source,
  });
  expect(() => given(file({ kind: "base64", mediaType: docx, data: "" })))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
  expect(() => given(file({ kind: "id", id: "file-1" })))
    .toThrow(expect.objectContaining({ code: "state_not_portable" }));
  expect(given(file({ kind: "text", mediaType: "text/plain", text: "ü" })).body.contents)
    .toMatchObject([{ parts: [{ inlineData: { mimeType: "text/plain", data: "w7w=" } }] }]);
});

test("system texts are joined by a blank line, late ones with a warning", () => {
  const { body, codes } = encode({
    system: [{ text: "First." }, { text: "" }, { text: "Late.", late: true, turnsBefore: 1 }],
  });
  expect(body.systemInstruction).toEqual({ parts: [{ text: "First.\n\nLate." }] });
  expect(codes).toEqual(["system_moved /messages/0"]);
});

test("empty texts are left out, and turns that held nothing else with them", () => {
  expect(contentsOf([user(text("")), user(text("a"), text(""))])).toEqual([
    { role: "user", parts: [{ text: "a" }] },
  ]);
});

test("what the service does not have is dropped with a warning", () => {
  const { body, codes } = encode({
    tools: [{ ...tool, parameters: {}, strict: true }],
    parallelToolCalls: false,
    sampling: { logitBias: { 1: 1 }, frequencyPenalty: 1, presencePenalty: 0, n: 2, topK: 4 },
    user: "ann",
    metadata: { team: "red" },
    serviceTier: "scale",
    extras: { prediction: {}, stream_options: {}, store: false },
  }, { penalties: false });
  expect(codes.sort()).toEqual([
    "parameter_dropped /frequency_penalty",
    "parameter_dropped /logit_bias",
    "parameter_dropped /metadata/team",
    "parameter_dropped /parallel_tool_calls",
    "parameter_dropped /prediction",
    "parameter_dropped /service_tier",
    "parameter_dropped /tools/0/strict",
    "parameter_dropped /user",
  ]);
  expect(body.generationConfig).toEqual({ candidateCount: 2, topK: 4 });
});

test("web search maps between families, other tools of servers do not", () => {
  const native = { dialect: "other", value: {} };
  const { body, codes } = encode({
    tools: [{ type: "web-search", settings: { context_size: "low" }, native }],
  });
  expect(body.tools).toEqual([{ googleSearch: {} }]);
  expect(codes).toEqual(["parameter_dropped /tools/0/context_size"]);
  expect(() => encode({ tools: [{ type: "native", kind: "computer", native }] }))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
});

test("paths name model and method, and lead nowhere else", () => {
  const path = (model: string, stream = false) =>
    dialect.requestPath({ operation: "chat", model, stream });
  expect(path("gemini-2.5-flash")).toBe("/models/gemini-2.5-flash:generateContent");
  expect(path("models/gemini-2.5-flash", true))
    .toBe("/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
  expect(path("publishers/google/models/g@001"))
    .toBe("/publishers/google/models/g@001:generateContent");
  expect(path("a?key=b#c")).toBe("/models/a%3Fkey%3Db%23c:generateContent");
  for (const model of ["models/../../v1/files", "models//x", ".."]) {
    expect(() => path(model)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  }
  const embed = { operation: "embeddings", model: "e", stream: false } as const;
  expect(dialect.requestPath(embed)).toBe("/models/e:batchEmbedContents");
});

test("token arrays cannot be embedded", () => {
  const embeddings = (input: (string | number[])[]) =>
    encode({ operation: "embeddings", embeddings: { input, dimensions: 8 } }).body;
  expect(embeddings(["a"])).toEqual({
    requests: [{
      model: "models/gemini-2.5-flash",
      content: { role: "user", parts: [{ text: "a" }] },
      outputDimensionality: 8,
    }],
  });
  expect(() => embeddings([[1, 2]]))
    .toThrow(expect.objectContaining({ code: "unsupported_content" }));
});

test("offsets of sources count characters, not bytes", () => {
  const answer = answerOf([{ text: "Höhe: 8 m. So." }]);
  const [candidate] = answer["candidates"] as JsonObject[];
  const { value } = dialect.decodeResponse({
    ...answer,
    candidates: [{
      ...candidate,
      groundingMetadata: {
        groundingChunks: [{ web: { uri: "https://example.org", title: "T" } }],
        groundingSupports: [{
          segment: { startIndex: 12, endIndex: 15, text: "So." },
          groundingChunkIndices: [0],
        }],
      },
    }],
  }, "chat");
  expect(value.find((part) => part.type === "source")).toEqual({
    type: "source",
    choice: 0,
    url: "https://example.org",
    title: "T",
    start: 11,
    end: 14,
  });
});

test("calls end an answer with tool-use, whichever word its end has", () => {
  for (const finishReason of ["STOP", "FUNCTION_CALL", 1]) {
    const parts = [{ functionCall: { name: "f" } }];
    const answer = { candidates: [{ content: { parts }, finishReason }] };
    const { value, warnings } = dialect.decodeResponse(answer, "chat");
    expect(value.at(-1)).toMatchObject({ type: "finish", reason: "tool-use" });
    expect(warnings).toEqual([]);
  }
});

test("a reason that is not known ends the answer with a warning", () => {
  const answer = answerOf([{ text: "x" }]);
  const [candidate] = answer["candidates"] as JsonObject[];
  const told = { ...answer, candidates: [{ ...candidate, finishReason: "SOLAR_FLARE" }] };
  const { value, warnings } = dialect.decodeResponse(told, "chat");
  expect(value.at(-1)).toMatchObject({ type: "finish", reason: "end", raw: "SOLAR_FLARE" });
  expect(warnings).toMatchObject([{ code: "unknown_finish_reason", detail: "SOLAR_FLARE" }]);
});

test("an error inside a stream ends it with its status", () => {
  const decoder = dialect.streamDecoder();
  const parts = [
    ...decoder.push({
      data: JSON.stringify({ candidates: [{ content: { parts: [{ text: "a" }] } }] }),
    }),
    ...decoder.push({
      data: JSON.stringify([{ error: { code: 503, message: "Later", status: "UNAVAILABLE" } }]),
    }),
    ...decoder.end(),
  ];
  expect(parts.at(-1)).toMatchObject({
    type: "error",
    status: 503,
    code: "UNAVAILABLE",
    message: "Later",
  });
});

test("pieces of arguments with hostile places do no harm", () => {
  const decoder = dialect.streamDecoder();
  const push = (call: JsonObject, more: JsonObject = {}) =>
    decoder.push({
      data: JSON.stringify({
        candidates: [{ content: { parts: [{ functionCall: call }] }, ...more }],
      }),
    });
  push({ name: "f", willContinue: true });
  const places = [
    "$.__proto__.polluted",
    "$.list[999999]",
    "$",
    "",
    "$.a[0].b",
    "$.a.c",
    "$['d e']",
  ];
  push({
    partialArgs: places.map((jsonPath) => ({ jsonPath, stringValue: "x" })),
    willContinue: true,
  });
  const parts = push({}, { finishReason: "STOP" });
  expect(parts.find((part) => part.type === "block-delta"))
    .toMatchObject({ text: '{"list":[],"a":[{"b":"x"}],"d e":"x"}' });
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});

test("a result bears the id of its call, signature and all", () => {
  const functionCall = { id: "c1", name: "get", args: {} };
  const functionResponse = { id: "c1", name: "get", response: { output: "ok" } };
  const { turns } = dialect.decodeRequest({
    contents: [
      { role: "user", parts: [{ text: "Go." }] },
      { role: "model", parts: [{ functionCall, thoughtSignature: "c2ln" }] },
      { role: "user", parts: [{ functionResponse }] },
    ],
  }, "chat").value;
  const [call, result] = turns.slice(1).flatMap(({ parts }) => parts);
  expect(call).toMatchObject({ type: "tool-call", id: expect.stringMatching(/^c1./) });
  expect(result).toMatchObject({ type: "tool-result", callId: (call as { id: string }).id });
});

test("an error is read from the one event of a refused stream", () => {
  const error = { code: 404, message: "No such model", status: "NOT_FOUND" };
  const body = JSON.stringify({ error });
  for (const text of [body, `[${body}]`, `data: ${body}\r\n\r\n`]) {
    expect(dialect.decodeError(404, text)).toMatchObject({
      message: "No such model",
      code: "NOT_FOUND",
      recognised: true,
    });
  }
});
