import type { JsonObject } from "@vmx/core/contract";
import type { AnswerExample, RequestExample, StreamExample } from "@vmx/core/conformance";

const weather: JsonObject = {
  toolSpec: {
    name: "weather",
    description: "Tells the weather",
    inputSchema: { json: { type: "object", properties: { city: { type: "string" } } } },
    strict: true,
  },
};

const usage: JsonObject = { inputTokens: 12, outputTokens: 7, totalTokens: 19 };
const metrics: JsonObject = { latencyMs: 640 };

/** Requests with every member the dialect knows, and some it does not. */
export const requests: readonly RequestExample[] = [
  {
    name: "one question",
    body: { messages: [{ role: "user", content: [{ text: "Grüß Gott 🌍" }] }] },
  },
  {
    name: "system blocks, cache points and every setting",
    body: {
      system: [
        { text: "Be exact." },
        { cachePoint: { type: "default" } },
        { guardContent: { text: { text: "Guarded.", qualifiers: ["query"] } } },
      ],
      messages: [
        {
          role: "user",
          content: [{ text: "Hello." }, { cachePoint: { type: "default", ttl: "1h" } }],
        },
        { role: "system", content: [{ text: "Late." }] },
        { role: "assistant", content: [{ text: "Hi." }] },
        { role: "user", content: [{ text: "Go on." }] },
      ],
      inferenceConfig: { maxTokens: 99, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
      additionalModelRequestFields: {
        thinking: { type: "enabled", budget_tokens: 2048 },
        top_k: 5,
        anthropic_beta: ["context-1m"],
      },
      additionalModelResponseFieldPaths: ["/stop_sequence"],
      guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1", trace: "enabled" },
      performanceConfig: { latency: "optimized" },
      promptVariables: { name: { text: "Ann" } },
      requestMetadata: { team: "blue" },
      serviceTier: { type: "priority" },
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { schema: '{"type":"object"}', name: "answer" } },
        },
      },
      someNewMember: { deep: [1] },
    },
  },
  {
    name: "every kind of content",
    body: {
      messages: [
        {
          role: "user",
          content: [
            { text: "Look:" },
            { image: { format: "png", source: { bytes: "iVBORw0K" } } },
            { image: { format: "webp", source: { s3Location: { uri: "s3://b/a.webp" } } } },
            {
              document: {
                format: "pdf",
                name: "report",
                source: { bytes: "JVBERi0=" },
                citations: { enabled: true },
                context: "annual",
              },
            },
            {
              document: {
                name: "notes",
                source: { content: [{ text: "one" }, { text: "two" }] },
              },
            },
            { document: { format: "txt", name: "plain", source: { text: "three" } } },
            { video: { format: "mp4", source: { s3Location: { uri: "s3://b/v.mp4" } } } },
            { audio: { format: "wav", source: { bytes: "UklGRg==" } } },
            { guardContent: { text: { text: "check me", qualifiers: ["guard_content"] } } },
            {
              searchResult: {
                source: "https://example.org",
                title: "T",
                content: [{ text: "found" }],
              },
            },
            { hologram: { depth: 3 } },
          ],
        },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: "cmVk" } },
            {
              citationsContent: {
                content: [{ text: "Cited." }],
                citations: [{ title: "T", location: { web: { url: "https://example.org" } } }],
              },
            },
          ],
        },
      ],
    },
  },
  {
    name: "tool calls and results of every kind",
    body: {
      messages: [
        { role: "user", content: [{ text: "Weather?" }] },
        {
          role: "assistant",
          content: [
            { text: "I look." },
            { toolUse: { toolUseId: "t1", name: "weather", input: { city: "Köln" } } },
            { toolUse: { toolUseId: "t2", name: "weather", input: {} } },
          ],
        },
        {
          role: "user",
          content: [
            {
              toolResult: {
                toolUseId: "t1",
                status: "success",
                content: [
                  { text: "rain" },
                  { json: { degrees: 7 } },
                  { image: { format: "jpeg", source: { bytes: "/9j/" } } },
                  { document: { format: "txt", name: "log", source: { bytes: "bG9n" } } },
                  { video: { format: "mp4", source: { bytes: "AAAA" } } },
                ],
              },
            },
            { toolResult: { toolUseId: "t2", status: "error", content: [{ text: "no city" }] } },
            { text: "Well?" },
          ],
        },
      ],
      toolConfig: {
        tools: [
          weather,
          { cachePoint: { type: "default" } },
          { systemTool: { name: "nova_grounding" } },
          { systemTool: { name: "nova_code_interpreter" } },
          { cachePoint: { type: "default" } },
        ],
        toolChoice: { tool: { name: "weather" } },
      },
    },
  },
  {
    name: "tools the service ran by itself",
    body: {
      messages: [
        { role: "user", content: [{ text: "Count." }] },
        {
          role: "assistant",
          content: [
            {
              toolUse: {
                toolUseId: "s1",
                name: "nova_code_interpreter",
                input: { snippet: "1+1" },
                type: "server_tool_use",
              },
            },
            {
              toolResult: {
                toolUseId: "s1",
                type: "nova_code_interpreter_result",
                status: "success",
                content: [{ json: { stdOut: "2" } }],
              },
            },
            { text: "Two." },
          ],
        },
        { role: "user", content: [{ text: "Thanks." }] },
      ],
      toolConfig: { tools: [weather], toolChoice: { any: {} } },
    },
  },
  {
    name: "a text to be embedded by Titan",
    operation: "embeddings",
    body: { inputText: "Grüß Gott", dimensions: 256, normalize: true },
  },
  {
    name: "texts to be embedded by Cohere",
    operation: "embeddings",
    body: { texts: ["a", "b"], input_type: "search_query", truncate: "END" },
  },
  {
    name: "a text to be embedded by Nova",
    operation: "embeddings",
    body: {
      taskType: "SINGLE_EMBEDDING",
      singleEmbeddingParams: {
        embeddingPurpose: "DOCUMENT_RETRIEVAL",
        embeddingDimension: 1024,
        text: { truncationMode: "NONE", value: "a" },
      },
    },
  },
];

const answered = (content: readonly JsonObject[], rest: JsonObject = {}): JsonObject => ({
  output: { message: { role: "assistant", content } },
  stopReason: "end_turn",
  usage,
  metrics,
  ...rest,
});

/** Answers with every member the dialect knows, and some it does not. */
export const answers: readonly AnswerExample[] = [
  { name: "a text", body: answered([{ text: "Grüß Gott 🌍" }]) },
  { name: "nothing", body: answered([]) },
  {
    name: "reasoning, text and parallel calls",
    body: answered([
      { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
      { reasoningContent: { redactedContent: "cmVk" } },
      { text: "I look." },
      { toolUse: { toolUseId: "t1", name: "weather", input: { city: "Köln" }, type: "tool_use" } },
      { toolUse: { toolUseId: "t2", name: "weather", input: {} } },
    ], {
      stopReason: "tool_use",
      usage: {
        inputTokens: 3,
        outputTokens: 50,
        totalTokens: 1153,
        cacheReadInputTokens: 800,
        cacheWriteInputTokens: 300,
        cacheDetails: [{ ttl: "5m", inputTokens: 100 }, { ttl: "1h", inputTokens: 200 }],
      },
      serviceTier: { type: "priority" },
      trace: { promptRouter: { invokedModelId: "some-model" } },
      performanceConfig: { latency: "standard" },
    }),
  },
  {
    name: "cited text",
    body: answered([
      {
        citationsContent: {
          content: [{ text: "Water is wet." }],
          citations: [
            {
              title: "Water",
              source: "https://example.org/water",
              sourceContent: [{ text: "wet" }],
              location: { web: { url: "https://example.org/water", domain: "example.org" } },
            },
            { title: "More", location: { documentChar: { documentIndex: 0, start: 1, end: 9 } } },
          ],
        },
      },
      { text: " So it is." },
    ]),
  },
  {
    name: "an image and blocks of the service's own",
    body: answered([
      { image: { format: "png", source: { bytes: "iVBORw0K" } } },
      {
        toolUse: {
          toolUseId: "s1",
          name: "nova_code_interpreter",
          input: { snippet: "1+1" },
          type: "server_tool_use",
        },
      },
      {
        toolResult: {
          toolUseId: "s1",
          type: "nova_code_interpreter_result",
          status: "success",
          content: [{ json: { stdOut: "2" } }],
        },
      },
    ]),
  },
  {
    name: "the stop sequence that was met",
    body: answered([{ text: "One" }], {
      stopReason: "stop_sequence",
      additionalModelResponseFields: { stop_sequence: "Two" },
    }),
  },
  {
    name: "a vector of Titan",
    operation: "embeddings",
    body: { embedding: [0.5, -0.25], inputTextTokenCount: 3 },
  },
  {
    name: "vectors of Cohere",
    operation: "embeddings",
    body: {
      embeddings: [[0.5, -0.25], [1, 0]],
      response_type: "embeddings_floats",
      id: "e1",
      texts: ["a", "b"],
    },
  },
];

const event = (name: string, data: JsonObject): string =>
  `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const grown = (contentBlockIndex: number, delta: JsonObject): string =>
  event("contentBlockDelta", { contentBlockIndex, delta, p: "abc" });
const stop = (contentBlockIndex: number): string =>
  event("contentBlockStop", { contentBlockIndex, p: "ab" });
const messageStart = event("messageStart", { role: "assistant", p: "abcd" });

/** Streams beside their plain form. */
export const streams: readonly StreamExample[] = [
  {
    name: "a text",
    text: messageStart + grown(0, { text: "Grüß " }) + grown(0, { text: "Gott 🌍" }) + stop(0) +
      event("messageStop", { stopReason: "end_turn" }) + event("metadata", { usage, metrics }),
    plain: answered([{ text: "Grüß Gott 🌍" }]),
    wholeAfter: 5,
  },
  {
    name: "reasoning, text and parallel calls",
    text: messageStart + grown(0, { reasoningContent: { text: "H" } }) +
      grown(0, { reasoningContent: { text: "m." } }) +
      grown(0, { reasoningContent: { signature: "c2ln" } }) + stop(0) +
      grown(1, { reasoningContent: { redactedContent: "cmVk" } }) + stop(1) +
      grown(2, { text: "I look." }) + stop(2) +
      event("contentBlockStart", {
        contentBlockIndex: 3,
        start: { toolUse: { toolUseId: "t1", name: "weather" } },
      }) +
      grown(3, { toolUse: { input: '{"city":' } }) + grown(3, { toolUse: { input: '"Köln"}' } }) +
      stop(3) +
      event("contentBlockStart", {
        contentBlockIndex: 4,
        start: { toolUse: { toolUseId: "t2", name: "weather", type: "tool_use" } },
      }) +
      stop(4) + event("messageStop", { stopReason: "tool_use" }) +
      event("metadata", { usage, metrics, serviceTier: { type: "flex" } }),
    plain: answered([
      { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
      { reasoningContent: { redactedContent: "cmVk" } },
      { text: "I look." },
      { toolUse: { toolUseId: "t1", name: "weather", input: { city: "Köln" } } },
      { toolUse: { toolUseId: "t2", name: "weather", input: {}, type: "tool_use" } },
    ], { stopReason: "tool_use", serviceTier: { type: "flex" } }),
    wholeAfter: 16,
  },
  {
    name: "cited text and blocks of the service's own",
    text: messageStart + grown(0, { text: "Water is wet." }) +
      grown(0, {
        citation: { title: "Water", location: { web: { url: "https://example.org/water" } } },
      }) + stop(0) +
      event("contentBlockStart", {
        contentBlockIndex: 1,
        start: { toolResult: { toolUseId: "s1", type: "nova_code_interpreter_result" } },
      }) +
      grown(1, { toolResult: [{ json: { stdOut: "2" } }] }) + stop(1) +
      event("contentBlockStart", {
        contentBlockIndex: 2,
        start: { image: { format: "png" } },
      }) +
      grown(2, { image: { source: { bytes: "iVBORw0K" } } }) + stop(2) +
      event("messageStop", {
        stopReason: "stop_sequence",
        additionalModelResponseFields: { stop_sequence: "Two" },
      }) +
      event("metadata", { usage, metrics, trace: { promptRouter: { invokedModelId: "m" } } }),
    plain: answered([
      {
        citationsContent: {
          content: [{ text: "Water is wet." }],
          citations: [{
            title: "Water",
            location: { web: { url: "https://example.org/water" } },
          }],
        },
      },
      {
        toolResult: {
          toolUseId: "s1",
          type: "nova_code_interpreter_result",
          content: [{ json: { stdOut: "2" } }],
        },
      },
      { image: { format: "png", source: { bytes: "iVBORw0K" } } },
    ], {
      stopReason: "stop_sequence",
      additionalModelResponseFields: { stop_sequence: "Two" },
      trace: { promptRouter: { invokedModelId: "m" } },
    }),
    wholeAfter: 11,
  },
];
