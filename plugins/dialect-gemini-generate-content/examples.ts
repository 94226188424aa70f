import type { JsonObject } from "@vmx/core/contract";
import type { AnswerExample, RequestExample, StreamExample } from "@vmx/core/conformance";

const hello: JsonObject = { role: "user", parts: [{ text: "Grüß Gott 🌍" }] };
const signature = "c2lnbmF0dXJl";

/** Requests with every member the dialect knows, and some it does not. */
export const requests: readonly RequestExample[] = [
  { name: "one question", body: { contents: [hello] } },
  {
    name: "a system instruction of several parts",
    body: {
      contents: [hello],
      systemInstruction: { role: "system", parts: [{ text: "First." }, { text: "Second." }] },
    },
  },
  {
    name: "every kind of content",
    body: {
      contents: [
        {
          role: "user",
          parts: [
            { text: "Look:" },
            {
              inlineData: { mimeType: "image/png", data: "iVBORw0K" },
              mediaResolution: { level: "MEDIA_RESOLUTION_LOW" },
            },
            { inlineData: { mimeType: "application/pdf", data: "JVBERi0=" } },
            { inlineData: { mimeType: "audio/wav", data: "UklGRg==" } },
            { fileData: { mimeType: "video/mp4", fileUri: "gs://bucket/film.mp4" } },
            { hologram: { depth: 3 } },
          ],
        },
        {
          role: "model",
          parts: [
            { text: "Let me think.", thought: true },
            { text: "Hm.", thoughtSignature: signature },
            { executableCode: { language: "PYTHON", code: "1 + 1" } },
            { codeExecutionResult: { outcome: "OUTCOME_OK", output: "2" } },
          ],
        },
        { role: "user", parts: [{ text: "Why?" }] },
      ],
    },
  },
  {
    name: "function calls with and without ids, signed, with results",
    body: {
      contents: [
        hello,
        {
          role: "model",
          parts: [
            {
              functionCall: { name: "weather", args: { city: "A" } },
              thoughtSignature: signature,
            },
            { functionCall: { name: "weather", args: { city: "B" } } },
            { functionCall: { id: "f3", name: "clock", args: {} } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { name: "weather", response: { output: "rain" } } },
            { functionResponse: { name: "weather", response: { degrees: 20, wind: [1, 2] } } },
            { functionResponse: { id: "f3", name: "clock", response: { error: "broken" } } },
            { text: "Both." },
          ],
        },
      ],
      tools: [{
        functionDeclarations: [
          {
            name: "weather",
            description: "Tells the weather",
            parameters: {
              type: "OBJECT",
              properties: { city: { type: "STRING", nullable: true, format: "enum", enum: ["A"] } },
              required: ["city"],
            },
          },
          { name: "clock", parametersJsonSchema: { type: "object", additionalProperties: false } },
          { name: "bare", behavior: "NON_BLOCKING" },
        ],
      }],
      toolConfig: {
        functionCallingConfig: {
          mode: "ANY",
          allowedFunctionNames: ["weather", "clock"],
          streamFunctionCallArguments: true,
        },
        retrievalConfig: { languageCode: "de" },
      },
    },
  },
  {
    name: "tools of the service",
    body: {
      contents: [hello],
      tools: [
        { googleSearch: { excludeDomains: ["example.org"] } },
        { codeExecution: {} },
        { urlContext: {} },
      ],
      toolConfig: { functionCallingConfig: { mode: "VALIDATED" } },
    },
  },
  {
    name: "every setting",
    body: {
      contents: [hello],
      generationConfig: {
        temperature: 0,
        topP: 0.5,
        topK: 40,
        candidateCount: 2,
        maxOutputTokens: 64,
        stopSequences: ["a", "b"],
        seed: 42,
        frequencyPenalty: -1,
        presencePenalty: 1.5,
        responseLogprobs: true,
        logprobs: 3,
        responseMimeType: "application/json",
        responseSchema: { type: "OBJECT", properties: { a: { type: "INTEGER" } } },
        responseModalities: ["TEXT"],
        thinkingConfig: { thinkingBudget: -1, includeThoughts: true },
        mediaResolution: "MEDIA_RESOLUTION_HIGH",
        someFutureSetting: { deep: [1, null, { x: "y" }] },
      },
      safetySettings: [{ category: "HARM_CATEGORY_HATE_SPEECH", threshold: "BLOCK_NONE" }],
      cachedContent: "cachedContents/1",
      labels: { team: "red" },
      serviceTier: "flex",
      someFutureMember: true,
    },
  },
  {
    name: "a level of reasoning, JSON Schema",
    body: {
      contents: [hello],
      generationConfig: {
        responseMimeType: "application/json",
        responseJsonSchema: { $ref: "#/$defs/A", $defs: { A: { type: "string" } } },
        thinkingConfig: { thinkingLevel: "LOW" },
      },
    },
  },
  {
    name: "a forced function, no function, plain text",
    body: {
      contents: [hello],
      tools: [{ functionDeclarations: [{ name: "f" }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
      generationConfig: { responseMimeType: "text/plain" },
    },
  },
  {
    name: "the names of protocol buffers",
    body: {
      contents: [{
        role: "user",
        parts: [{ inline_data: { mime_type: "image/png", data: "iVBO" } }],
      }],
      system_instruction: { parts: [{ text: "Be exact." }] },
      generation_config: {
        response_mime_type: "application/json",
        thinking_config: { thinking_budget: 512 },
      },
      tools: [{ google_search: {} }, {
        function_declarations: [{ name: "f", parameters_json_schema: { a_b: 1 } }],
      }],
      tool_config: { function_calling_config: { mode: "NONE" } },
    },
    written: {
      contents: [{
        role: "user",
        parts: [{ inlineData: { mime_type: "image/png", data: "iVBO" } }],
      }],
      systemInstruction: { parts: [{ text: "Be exact." }] },
      generationConfig: {
        responseMimeType: "application/json",
        thinkingConfig: { thinkingBudget: 512 },
      },
      tools: [{ googleSearch: {} }, {
        functionDeclarations: [{ name: "f", parametersJsonSchema: { a_b: 1 } }],
      }],
      toolConfig: { functionCallingConfig: { mode: "NONE" } },
    },
  },
  {
    name: "several texts to embed",
    operation: "embeddings",
    body: {
      requests: ["a", "Grüße"].map((text) => ({
        model: "models/vectors",
        content: { parts: [{ text }] },
        taskType: "RETRIEVAL_QUERY",
        outputDimensionality: 8,
      })),
    },
  },
  {
    name: "one text to embed",
    operation: "embeddings",
    body: { model: "models/vectors", content: { parts: [{ text: "a" }] } },
    written: { requests: [{ model: "models/vectors", content: { parts: [{ text: "a" }] } }] },
  },
  {
    name: "tokens to count",
    operation: "count-tokens",
    body: { generateContentRequest: { model: "models/small", contents: [hello] } },
  },
];

const head: JsonObject = {
  responseId: "r1",
  modelVersion: "small-001",
  createTime: "2026-01-02T03:04:05.678Z",
};
const usage: JsonObject = {
  promptTokenCount: 20,
  cachedContentTokenCount: 8,
  candidatesTokenCount: 7,
  thoughtsTokenCount: 5,
  toolUsePromptTokenCount: 3,
  totalTokenCount: 35,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: 16 }, { modality: "AUDIO", tokenCount: 4 }],
};

function answer(
  parts: readonly JsonObject[],
  finishReason = "STOP",
  candidate: JsonObject = {},
  more: JsonObject = {},
): JsonObject {
  return {
    candidates: [{
      content: { ...(parts.length === 0 ? {} : { parts }), role: "model" },
      finishReason,
      index: 0,
      ...candidate,
    }],
    usageMetadata: usage,
    ...head,
    ...more,
  };
}

const ratings = [{ category: "HARM_CATEGORY_HATE_SPEECH", probability: "NEGLIGIBLE" }];
const text = answer([{ text: "Grüße 🌍" }], "STOP", { safetyRatings: ratings, avgLogprobs: -0.1 });
const thought = answer([
  { text: "2 + 2", thought: true },
  { text: "Four.", thoughtSignature: signature },
], "MAX_TOKENS");
const called = answer([
  { text: "Let me see." },
  { functionCall: { name: "weather", args: { city: "Köln" } }, thoughtSignature: signature },
  { functionCall: { id: "f2", name: "weather", args: {} } },
]);
const cited = answer([{ text: "Höhe: 8 m. As said." }], "STOP", {
  groundingMetadata: {
    webSearchQueries: ["q"],
    searchEntryPoint: { renderedContent: "<div></div>" },
    groundingChunks: [
      { web: { uri: "https://example.org/a", title: "A" } },
      { retrievedContext: { title: "B", text: "the source's own words" } },
      { web: { uri: "https://example.org/c", title: "C" } },
    ],
    groundingSupports: [
      { segment: { endIndex: 11, text: "Höhe: 8 m." }, groundingChunkIndices: [0, 1] },
      { segment: { startIndex: 12, endIndex: 20, text: "As said." }, groundingChunkIndices: [0] },
    ],
  },
  citationMetadata: {
    citations: [{ startIndex: 12, endIndex: 20, uri: "https://example.org/d", license: "MIT" }],
  },
});
const blocked: JsonObject = {
  usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 },
  ...head,
  promptFeedback: { blockReason: "SAFETY", safetyRatings: ratings },
};

/** Plain answers of every kind. */
export const answers: readonly AnswerExample[] = [
  { name: "text", body: text },
  { name: "thoughts and a signed text", body: thought },
  {
    name: "a signature of its own",
    body: answer([{ text: "Hi" }, { text: "", thoughtSignature: "cQ==" }]),
  },
  {
    name: "a signed thought",
    body: answer([{ text: "t", thought: true, thoughtSignature: "cQ==" }]),
  },
  { name: "function calls", body: called },
  { name: "sources", body: cited },
  { name: "a refused prompt", body: blocked },
  { name: "a refused answer", body: answer([], "SAFETY", { safetyRatings: ratings }) },
  {
    name: "a call that went wrong",
    body: answer([], "MALFORMED_FUNCTION_CALL", { finishMessage: "m" }),
  },
  {
    name: "an image, code and its result",
    body: answer([
      { executableCode: { language: "PYTHON", code: "1" } },
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
      { inlineData: { mimeType: "image/png", data: "iVBORw0K" } },
    ]),
  },
  {
    name: "two candidates",
    body: {
      ...head,
      usageMetadata: usage,
      candidates: ["a", "b"].map((each, index) => ({
        content: { parts: [{ text: each }], role: "model" },
        finishReason: "STOP",
        index,
      })),
    },
  },
  {
    name: "log probabilities",
    body: answer([{ text: "Hi" }], "STOP", {
      logprobsResult: {
        topCandidates: [{ candidates: [{ token: "Hi", tokenId: 7, logProbability: -0.1 }] }],
        chosenCandidates: [{ token: "Hi", tokenId: 7, logProbability: -0.1 }],
      },
    }),
  },
  {
    name: "no usage, members of other services",
    body: {
      ...answer([{ text: "Hi" }], "STOP", { score: -1 }, { turnToken: "v1" }),
      usageMetadata: { trafficType: "ON_DEMAND" },
    },
  },
  {
    name: "two vectors",
    operation: "embeddings",
    body: { embeddings: [{ values: [0.5, -0.25] }, { values: [1, 0] }] },
  },
  {
    name: "a vector with usage",
    operation: "embeddings",
    body: { embeddings: [{ values: [1] }], usageMetadata: { promptTokenCount: 4 } },
  },
  {
    name: "a token count",
    operation: "count-tokens",
    body: { totalTokens: 14, cachedContentTokenCount: 4 },
  },
];

/** Writes chunks as the service does: lines end with CRLF and nothing marks the end. */
export function streamOf(chunks: readonly JsonObject[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join("");
}

/** One chunk of the first candidate. */
export function chunkOf(
  parts: readonly JsonObject[],
  candidate: JsonObject = {},
  more: JsonObject = {},
): JsonObject {
  return {
    candidates: [{ content: { parts, role: "model" }, index: 0, ...candidate }],
    ...head,
    ...more,
  };
}

const counting = { usageMetadata: { promptTokenCount: 20, totalTokenCount: 20 } };
const last = { usageMetadata: usage };

/** Streams of every kind with their plain forms. */
export const streams: readonly StreamExample[] = [
  {
    name: "text",
    text: streamOf([
      chunkOf([{ text: "Grü" }], {}, counting),
      chunkOf([{ text: "ße 🌍" }], { safetyRatings: ratings }, counting),
      chunkOf([{ text: "" }], { finishReason: "STOP", avgLogprobs: -0.1 }, last),
    ]),
    plain: text,
  },
  {
    name: "thoughts and a signed text",
    text: streamOf([
      chunkOf([{ text: "2 +", thought: true }]),
      chunkOf([{ text: " 2", thought: true }]),
      chunkOf([{ text: "Fo" }]),
      chunkOf([{ text: "ur." }]),
      chunkOf([{ text: "", thoughtSignature: signature }], { finishReason: "MAX_TOKENS" }, last),
    ]),
    plain: thought,
  },
  {
    name: "function calls",
    text: streamOf([
      chunkOf([{ text: "Let me" }]),
      chunkOf([{ text: " see." }]),
      chunkOf([
        { functionCall: { name: "weather", args: { city: "Köln" } }, thoughtSignature: signature },
        { functionCall: { id: "f2", name: "weather" } },
      ]),
      chunkOf([], { finishReason: "STOP" }, last),
    ]),
    plain: called,
  },
  {
    name: "a function call in pieces",
    text: streamOf([
      chunkOf([{ text: "Let me see." }]),
      chunkOf([{
        functionCall: { name: "weather", willContinue: true },
        thoughtSignature: signature,
      }]),
      chunkOf([{
        functionCall: {
          partialArgs: [{ jsonPath: "$.city", stringValue: "Kö", willContinue: true }],
          willContinue: true,
        },
      }]),
      chunkOf([{
        functionCall: {
          partialArgs: [{ jsonPath: "$.city", stringValue: "ln" }],
          willContinue: true,
        },
      }]),
      chunkOf([{ functionCall: {} }]),
      chunkOf([{ functionCall: { id: "f2", name: "weather", args: {} } }], {
        finishReason: "STOP",
      }, last),
    ]),
    plain: called,
  },
  {
    name: "sources",
    text: streamOf([
      chunkOf([{ text: "Höhe: 8 m. " }], { groundingMetadata: {} }),
      chunkOf([{ text: "As said." }], {
        finishReason: "STOP",
        ...["groundingMetadata", "citationMetadata"].reduce((all, name) => ({
          ...all,
          [name]: (cited["candidates"] as readonly JsonObject[])[0]![name],
        }), {}),
      }, last),
    ]),
    plain: cited,
  },
  {
    name: "a refused prompt",
    text: streamOf([blocked]),
    plain: blocked,
  },
];
