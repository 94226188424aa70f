import { afterEach, beforeEach, expect, test } from "vitest";
import {
  fakeAnswers,
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
} from "@vmx/core/conformance";
import type { JsonObject, ProviderConnection } from "@vmx/core/contract";
import { createEgressGuard, createHttpClient, type GatewayHttpClient, Secret } from "@vmx/core/kit";
import { geminiGenerateContent as dialect } from "@vmx/dialect-gemini-generate-content/dialect";
import { GoogleGenAI } from "@google/genai";
import { baseUrlOf, defaultBaseUrl, type GeminiConfiguration } from "./configuration.ts";
import { createSdkClient } from "./list-models.ts";
import { createGeminiProvider } from "./provider.ts";

/*
 * The vendor's SDK is the authority: given the same call it and the plugin must put the same request on the wire.
 * What differs by nature is left out: who the client is, and what its transport negotiates.
 */
const transportHeaders =
  /^(user-agent|x-goog-api-client|accept|accept-encoding|accept-language|sec-fetch-mode|connection|content-length|keep-alive)$/;

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
let upstream: FakeUpstream;
let client: GatewayHttpClient;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  client = createHttpClient({
    connectTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    guard: createEgressGuard({ privateRanges: "allow" }),
    clock,
  });
});

afterEach(async () => {
  await client.close();
  await upstream.close();
});

const configurations: readonly [name: string, make: (url: string) => GeminiConfiguration][] = [
  ["a key", (url) => ({ apiKey: new Secret("test-1"), baseUrl: `${url}/v1` })],
  ["a base URL without a version", (url) => ({ apiKey: new Secret("test-2"), baseUrl: `${url}/` })],
  ["another version below a path", (url) => ({
    apiKey: new Secret("test-3"),
    baseUrl: `${url}/deep/er/v1beta`,
  })],
  ["headers of its own", (url) => ({
    apiKey: new Secret("test-4"),
    baseUrl: `${url}/v1`,
    headers: { "X-Team": new Secret("blue"), "x-goog-user-project": new Secret("p") },
  })],
];

interface OracleCall {
  readonly operation: "chat" | "embeddings" | "count-tokens";
  readonly model: string;
  readonly stream?: boolean;
  readonly body: JsonObject;
  readonly sdk: (client: GoogleGenAI) => Promise<unknown>;
}

const contents = [{ role: "user", parts: [{ text: "hello ü \u2028" }] }];
const calls: Readonly<Record<string, OracleCall>> = {
  "a plain answer": {
    operation: "chat",
    model: "gemini-2.5-flash",
    body: {
      contents,
      systemInstruction: { role: "user", parts: [{ text: "Be exact." }] },
      generationConfig: {
        temperature: 0.5,
        maxOutputTokens: 9,
        stopSequences: ["x"],
        thinkingConfig: { thinkingBudget: 512, includeThoughts: true },
      },
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
    },
    sdk: (sdk) =>
      sdk.models.generateContent({
        model: "gemini-2.5-flash",
        contents,
        config: {
          systemInstruction: "Be exact.",
          temperature: 0.5,
          maxOutputTokens: 9,
          stopSequences: ["x"],
          thinkingConfig: { thinkingBudget: 512, includeThoughts: true },
          safetySettings: [{
            category: "HARM_CATEGORY_HARASSMENT",
            threshold: "BLOCK_NONE",
          }] as never,
        },
      }),
  },
  "a stream with tools": {
    operation: "chat",
    model: "models/gemini-3-flash-preview",
    stream: true,
    body: {
      contents: [
        ...contents,
        {
          role: "model",
          parts: [{
            functionCall: { id: "c1", name: "f", args: { a: 1 } },
            thoughtSignature: "c2ln",
          }],
        },
        {
          role: "user",
          parts: [{ functionResponse: { id: "c1", name: "f", response: { output: "1" } } }],
        },
      ],
      tools: [{
        functionDeclarations: [{
          name: "f",
          description: "d",
          parameters: { type: "OBJECT", properties: { a: { type: "INTEGER" } } },
        }],
      }, { googleSearch: {} }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
      generationConfig: { thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true } },
    },
    sdk: async (sdk) => {
      const stream = await sdk.models.generateContentStream({
        model: "models/gemini-3-flash-preview",
        contents: calls["a stream with tools"]!.body["contents"] as never,
        config: {
          tools: [
            {
              functionDeclarations: [{
                name: "f",
                description: "d",
                parameters: { type: "OBJECT", properties: { a: { type: "INTEGER" } } },
              }],
            },
            { googleSearch: {} },
          ] as never,
          toolConfig: {
            functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] },
          } as never,
          thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true } as never,
        },
      });
      for await (const _chunk of stream);
    },
  },
  "one vector": {
    operation: "embeddings",
    model: "gemini-embedding-001",
    body: {
      requests: [{
        model: "models/gemini-embedding-001",
        content: { role: "user", parts: [{ text: "a" }] },
        outputDimensionality: 8,
      }],
    },
    sdk: (sdk) =>
      sdk.models.embedContent({
        model: "gemini-embedding-001",
        contents: "a",
        config: { outputDimensionality: 8 },
      }),
  },
  "several vectors": {
    operation: "embeddings",
    model: "gemini-embedding-001",
    body: {
      requests: ["a", "ü"].map((text) => ({
        model: "models/gemini-embedding-001",
        content: { role: "user", parts: [{ text }] },
      })),
    },
    sdk: (sdk) => sdk.models.embedContent({ model: "gemini-embedding-001", contents: ["a", "ü"] }),
  },
};

const pairs = configurations.flatMap(([configured, configure]) =>
  Object.entries(calls).map(([name, call]) => [name, configured, configure, call] as const)
);

test.each(pairs)("%s with %s goes out as the SDK sends it", async (_n, _c, configure, call) => {
  const answer = { candidates: [{ content: { parts: [{ text: "x" }] }, finishReason: "STOP" }] };
  upstream.script(
    call.stream === true
      ? fakeAnswers.events([JSON.stringify(answer)])
      : fakeAnswers.json(200, { ...answer, embeddings: [] }),
  );
  const configuration = configure(upstream.url);
  await call.sdk(await createSdkClient(configuration, globalThis.fetch));
  await sendThroughPlugin(configuration, call);
  const [theirs, ours] = upstream.requests;
  expect(comparable(ours!)).toEqual(comparable(theirs!));
});

/** The body goes through the dialect, as a caller's of another dialect would at its end. */
async function sendThroughPlugin(
  configuration: GeminiConfiguration,
  { operation, model, stream = false, body }: OracleCall,
): Promise<void> {
  const provider = createGeminiProvider({ http: client, fetch: client.fetch, clock });
  const { native: _native, ...decoded } = dialect.decodeRequest(body, operation).value;
  const written = dialect.encodeRequest({ ...decoded, stream }, {
    model,
    family: "gemini",
    profile: { thinking: model.includes("gemini-3") ? "level" : "budget" },
  }).value;
  const request = {
    requestId: "r",
    operation,
    dialect: dialect.id,
    model,
    stream,
    path: dialect.requestPath({ operation, model, stream }),
    body: JSON.stringify(written),
    bodyObject: () => written,
    headers: {},
  } as const;
  const connection = connectionOf({ ...configuration });
  const response = await provider.send(request, connection, new AbortController().signal);
  for await (const _chunk of response.body);
}

function connectionOf(config: ProviderConnection["config"]): ProviderConnection {
  return { connectionId: "c", name: "c", workspaceId: "w", environmentId: "e", config };
}

function comparable({ method, url, headers, body }: RecordedRequest): unknown {
  const kept = Object.entries(headers).filter(([name]) => !transportHeaders.test(name));
  return { method, url, headers: Object.fromEntries(kept), body: JSON.parse(body) };
}

test("the default base URL and version are the SDK's", async () => {
  const urls: string[] = [];
  const sdk = new GoogleGenAI({
    apiKey: "x",
    httpOptions: {
      fetch: (input) => {
        urls.push(String(input));
        return Promise.resolve(Response.json({}));
      },
    },
  });
  await sdk.models.generateContent({ model: "gemini-2.5-flash", contents: "a" });
  const path = dialect.requestPath({ operation: "chat", model: "gemini-2.5-flash", stream: false });
  expect(urls).toEqual([defaultBaseUrl + path]);
  expect(baseUrlOf({ apiKey: new Secret("x") })).toBe(defaultBaseUrl);
});

test("the model list takes nothing from the process's environment and reads every page", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    GOOGLE_API_KEY: "key-env",
    GEMINI_API_KEY: "key-env",
    GOOGLE_GENAI_USE_VERTEXAI: "true",
    GOOGLE_GENAI_USE_ENTERPRISE: "true",
    GOOGLE_CLOUD_PROJECT: "project-env",
    GOOGLE_CLOUD_LOCATION: "location-env",
    GOOGLE_GEMINI_BASE_URL: "http://127.0.0.2:1",
  });
  try {
    upstream.script(
      fakeAnswers.json(200, { models: [{ name: "models/a" }], nextPageToken: "next" }),
      fakeAnswers.json(200, { models: [{ name: "models/b" }] }),
    );
    const provider = createGeminiProvider({ http: client, fetch: client.fetch, clock });
    const connection = connectionOf({ apiKey: new Secret("own"), baseUrl: upstream.url });
    expect(await provider.listModels?.(connection, new AbortController().signal))
      .toEqual(["a", "b"]);
    expect(upstream.requests.map(({ url }) => url)).toEqual([
      "/v1/models?pageSize=1000",
      "/v1/models?pageSize=1000&pageToken=next",
    ]);
    const sent = JSON.stringify(upstream.requests);
    expect(upstream.requests[0]?.headers["x-goog-api-key"]).toBe("own");
    expect(sent).not.toContain("-env");
  } finally {
    process.env = before;
  }
});
