import { afterEach, beforeEach, expect, test } from "vitest";
import {
  fakeAnswers,
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
} from "@vmx/core/conformance";
import type { JsonObject, ProviderConnection } from "@vmx/core/contract";
import { createEgressGuard, createHttpClient, type GatewayHttpClient, Secret } from "@vmx/core/kit";
import { OpenAI } from "openai";
import { defaultBaseUrl, type OpenAIConfiguration } from "./configuration.ts";
import { createSdkClient } from "./list-models.ts";
import { createOpenAIProvider } from "./provider.ts";

/*
 * The vendor's SDK is the authority: given the same call it and the plugin must put the same request on the wire.
 * What differs by nature is left out: who the client is, and what its transport negotiates.
 */
const transportHeaders =
  /^(user-agent|x-stainless-.*|accept-encoding|accept-language|sec-fetch-mode|connection|content-length|keep-alive)$/;

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

const configurations: readonly [name: string, make: (url: string) => OpenAIConfiguration][] = [
  ["a key", (url) => ({ apiKey: new Secret("sk-test-1"), baseUrl: `${url}/v1` })],
  ["a base URL that ends with a slash", (url) => ({
    apiKey: new Secret("sk-test-2"),
    baseUrl: `${url}/deep/er/v1/`,
  })],
  ["organization and project", (url) => ({
    apiKey: new Secret("sk-test-3"),
    baseUrl: `${url}/v1`,
    organization: "org-1",
    project: "proj_1",
  })],
  ["headers of its own", (url) => ({
    apiKey: new Secret("sk-test-4"),
    baseUrl: `${url}/v1`,
    headers: { "X-Team": new Secret("blue"), "OpenAI-Beta": new Secret("assistants=v2") },
  })],
];

interface OracleCall {
  readonly path: string;
  readonly body: JsonObject;
  readonly sdk: (client: OpenAI, body: never) => Promise<unknown>;
}

const messages = [{ role: "user", content: "hello ü \u2028" }];
const calls: Readonly<Record<string, OracleCall>> = {
  "a chat completion": {
    path: "/chat/completions",
    body: { model: "gpt-4.1", messages, temperature: 0.5, metadata: { a: "b" } },
    sdk: (sdk, body) => sdk.chat.completions.create(body),
  },
  "a streamed chat completion": {
    path: "/chat/completions",
    body: { model: "gpt-4.1", messages, stream: true, stream_options: { include_usage: true } },
    sdk: (sdk, body) => sdk.chat.completions.create(body),
  },
  "a response": {
    path: "/responses",
    body: { model: "gpt-5-mini", input: "hello", reasoning: { effort: "low" } },
    sdk: (sdk, body) => sdk.responses.create(body),
  },
  "a streamed response": {
    path: "/responses",
    body: { model: "gpt-5-mini", input: "hello", stream: true },
    sdk: (sdk, body) => sdk.responses.create(body),
  },
  "embeddings": {
    path: "/embeddings",
    body: { model: "text-embedding-3-small", input: ["a", "b"], encoding_format: "float" },
    sdk: (sdk, body) => sdk.embeddings.create(body),
  },
};

const pairs = configurations.flatMap(([configured, configure]) =>
  Object.entries(calls).map(([name, call]) => [name, configured, configure, call] as const)
);

test.each(pairs)("%s with %s goes out as the SDK sends it", async (_n, _c, configure, call) => {
  upstream.script(
    call.body["stream"] === true
      ? fakeAnswers.events(["[DONE]"])
      : fakeAnswers.json(200, { data: [], output: [] }),
  );
  const configuration = configure(upstream.url);
  const sdk = await createSdkClient(configuration, configuration.baseUrl!, globalThis.fetch);
  await call.sdk(sdk, call.body as never);
  await sendThroughPlugin(configuration, call);
  const [theirs, ours] = upstream.requests;
  expect(comparable(ours!)).toEqual(comparable(theirs!));
});

async function sendThroughPlugin(
  configuration: OpenAIConfiguration,
  { path, body }: OracleCall,
): Promise<void> {
  const provider = createOpenAIProvider({ http: client, fetch: client.fetch, clock });
  const connection: ProviderConnection = {
    connectionId: "c",
    name: "c",
    workspaceId: "w",
    environmentId: "e",
    config: { ...configuration },
  };
  const request = {
    requestId: "r",
    operation: "chat",
    dialect: "openai-chat",
    model: String(body["model"]),
    stream: body["stream"] === true,
    path,
    body: JSON.stringify(body),
    bodyObject: () => body,
    headers: {},
  } as const;
  const response = await provider.send(request, connection, new AbortController().signal);
  for await (const _chunk of response.body);
}

function comparable({ method, url, headers, body }: RecordedRequest): unknown {
  const kept = Object.entries(headers).filter(([name]) => !transportHeaders.test(name));
  return { method, url, headers: Object.fromEntries(kept), body: JSON.parse(body) };
}

test("the default base URL is the SDK's", () => {
  expect(new OpenAI({ apiKey: "sk-x", baseURL: null }).baseURL).toBe(defaultBaseUrl);
});

test("the model list takes nothing from the process's environment", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    OPENAI_BASE_URL: "http://127.0.0.2:1/v1",
    OPENAI_ORG_ID: "org-env",
    OPENAI_PROJECT_ID: "proj-env",
    OPENAI_ADMIN_KEY: "sk-admin-env",
    OPENAI_LOG: "debug",
    OPENAI_CUSTOM_HEADERS: "Authorization: Bearer key-env\nX-Own: value-env",
  });
  try {
    upstream.script(fakeAnswers.json(200, { object: "list", data: [{ id: "m" }] }));
    const provider = createOpenAIProvider({ http: client, fetch: client.fetch, clock });
    const connection = {
      config: { apiKey: new Secret("sk-own"), baseUrl: `${upstream.url}/v1` },
    } as unknown as ProviderConnection;
    expect(await provider.listModels?.(connection, new AbortController().signal)).toEqual(["m"]);
    const headers = JSON.stringify(upstream.requests[0]?.headers);
    expect(headers).toContain("sk-own");
    expect(headers).not.toContain("-env");
  } finally {
    process.env = before;
  }
});
