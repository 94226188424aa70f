import { afterEach, beforeEach, expect, test } from "vitest";
import {
  fakeAnswers,
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
} from "@vmx/core/conformance";
import type { JsonObject, ProviderConnection } from "@vmx/core/contract";
import { createEgressGuard, createHttpClient, type GatewayHttpClient, Secret } from "@vmx/core/kit";
import { Groq } from "groq-sdk";
import { defaultBaseUrl, type GroqConfiguration } from "./configuration.ts";
import { createSdkClient } from "./list-models.ts";
import { createGroqProvider } from "./provider.ts";

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

const configurations: readonly [name: string, make: (url: string) => GroqConfiguration][] = [
  ["a key", (url) => ({ apiKey: new Secret("gsk_test-1"), baseUrl: url })],
  ["a base URL that ends with a slash", (url) => ({
    apiKey: new Secret("gsk_test-2"),
    baseUrl: `${url}/deep/er/`,
  })],
  ["headers of its own", (url) => ({
    apiKey: new Secret("gsk_test-4"),
    baseUrl: url,
    headers: { "X-Team": new Secret("blue"), "Groq-Model-Version": new Secret("latest") },
  })],
];

interface OracleCall {
  readonly path: string;
  readonly body: JsonObject;
  readonly sdk: (client: Groq, body: never) => Promise<unknown>;
}

const messages = [{ role: "user", content: "hello ü \u2028" }];
const calls: Readonly<Record<string, OracleCall>> = {
  "a chat completion": {
    path: "/chat/completions",
    body: { model: "openai/gpt-oss-20b", messages, temperature: 0.5, reasoning_effort: "low" },
    sdk: (sdk, body) => sdk.chat.completions.create(body),
  },
  "a streamed chat completion": {
    path: "/chat/completions",
    body: { model: "openai/gpt-oss-20b", messages, stream: true },
    sdk: (sdk, body) => sdk.chat.completions.create(body),
  },
  // The SDK has no resource for Responses; its general door takes the path the vendor documents.
  "a response": {
    path: "/responses",
    body: { model: "openai/gpt-oss-20b", input: "hello", reasoning: { effort: "low" } },
    sdk: (sdk, body) => sdk.post("/openai/v1/responses", { body }),
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
  const sdk = await createSdkClient(configuration, globalThis.fetch);
  await call.sdk(sdk, call.body as never);
  await sendThroughPlugin(configuration, call);
  const [theirs, ours] = upstream.requests;
  expect(comparable(ours!)).toEqual(comparable(theirs!));
});

async function sendThroughPlugin(
  configuration: GroqConfiguration,
  { path, body }: OracleCall,
): Promise<void> {
  const provider = createGroqProvider({ http: client, fetch: client.fetch, clock });
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

test("a base URL that ends with the compatible path is meant the same", async () => {
  for (const end of ["", "/", "/openai/v1", "/openai/v1/"]) {
    const configuration = { apiKey: new Secret("gsk_1"), baseUrl: upstream.url + end };
    await sendThroughPlugin(configuration, calls["a chat completion"]!);
  }
  expect(upstream.requests.map(({ url }) => url)).toEqual(
    Array(4).fill("/openai/v1/chat/completions"),
  );
});

test("the default base URL is the SDK's", () => {
  expect(new Groq({ apiKey: "gsk_x", baseURL: null }).baseURL).toBe(defaultBaseUrl);
});

test("the model list takes nothing from the process's environment", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    GROQ_BASE_URL: "http://127.0.0.2:1",
    GROQ_API_KEY: "gsk_env",
    GROQ_CUSTOM_HEADERS: "Authorization: Bearer key-env\nX-Own: value-env",
    GROQ_LOG: "debug",
  });
  try {
    upstream.script(fakeAnswers.json(200, { object: "list", data: [{ id: "m" }] }));
    const provider = createGroqProvider({ http: client, fetch: client.fetch, clock });
    const connection = {
      config: { apiKey: new Secret("gsk_own"), baseUrl: upstream.url },
    } as unknown as ProviderConnection;
    expect(await provider.listModels?.(connection, new AbortController().signal)).toEqual(["m"]);
    const headers = JSON.stringify(upstream.requests[0]?.headers);
    expect(headers).toContain("gsk_own");
    expect(headers).not.toMatch(/[-_]env/);
  } finally {
    process.env = before;
  }
});
