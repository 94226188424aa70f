import { Anthropic } from "@anthropic-ai/sdk";
import {
  fakeAnswers,
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
} from "@vmx/core/conformance";
import type { JsonObject, ProviderConnection, ProviderRequest } from "@vmx/core/contract";
import { createEgressGuard, createHttpClient, type GatewayHttpClient, Secret } from "@vmx/core/kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { currentVersion } from "./api-version.ts";
import { type AnthropicConfiguration, defaultBaseUrl } from "./configuration.ts";
import { createSdkClient } from "./list-models.ts";
import { createAnthropicProvider } from "./provider.ts";

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

const configurations: readonly [name: string, make: (url: string) => AnthropicConfiguration][] = [
  ["a key", (url) => ({ apiKey: new Secret("sk-ant-1"), baseUrl: url })],
  ["a base URL that ends with a slash", (url) => ({
    apiKey: new Secret("sk-ant-2"),
    baseUrl: `${url}/deep/er/`,
  })],
  ["headers of its own", (url) => ({
    apiKey: new Secret("sk-ant-3"),
    baseUrl: url,
    headers: { "X-Team": new Secret("blue"), "Anthropic-Version": new Secret("2023-06-01") },
  })],
];

interface OracleCall {
  readonly path: string;
  readonly body: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly sdk: (client: Anthropic, body: never) => Promise<unknown>;
}

const messages = [{ role: "user", content: "hello ü \u2028" }];
const body = { model: "claude-haiku-4-5", max_tokens: 100, messages };
const calls: Readonly<Record<string, OracleCall>> = {
  "a message": {
    path: "/messages",
    body: { ...body, system: "be brief", stop_sequences: ["x"] },
    sdk: (sdk, body) => sdk.messages.create(body),
  },
  "a streamed message": {
    path: "/messages",
    body: { ...body, stream: true },
    sdk: (sdk, body) => sdk.messages.create(body),
  },
  "a message with betas": {
    path: "/messages",
    body: { ...body, betas: ["files-api-2025-04-14", "context-1m-2025-08-07"] },
    sdk: (sdk, body) => sdk.beta.messages.create(body),
  },
  "a message of a caller who names a version and betas": {
    path: "/messages",
    body,
    headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "one,two" },
    query: "beta=true",
    sdk: (sdk, body) =>
      sdk.messages.create(body, {
        query: { beta: "true" },
        headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "one,two" },
      }),
  },
  "a token count": {
    path: "/messages/count_tokens",
    body: { model: "claude-haiku-4-5", messages },
    sdk: (sdk, body) => sdk.messages.countTokens(body),
  },
};

const pairs = configurations.flatMap(([configured, configure]) =>
  Object.entries(calls).map(([name, call]) => [name, configured, configure, call] as const)
);

test.each(pairs)("%s with %s goes out as the SDK sends it", async (_n, _c, configure, call) => {
  upstream.script(
    call.body["stream"] === true
      ? fakeAnswers.events(['{"type":"message_stop"}'])
      : fakeAnswers.json(200, { content: [] }),
  );
  const configuration = configure(upstream.url);
  const sdk = await createSdkClient(configuration, globalThis.fetch);
  await call.sdk(sdk, call.body as never);
  await sendThroughPlugin(configuration, call);
  const [theirs, ours] = upstream.requests;
  expect(comparable(ours!)).toEqual(comparable(theirs!));
});

test("a base URL that ends with the version's path is meant the same", async () => {
  for (const baseUrl of [upstream.url, `${upstream.url}/v1`, `${upstream.url}/v1/`]) {
    await sendThroughPlugin({ apiKey: new Secret("sk-ant-1"), baseUrl }, calls["a message"]!);
  }
  expect(upstream.requests.map(({ url }) => url)).toEqual(Array(3).fill("/v1/messages"));
});

test("a body with sampling names the version that takes it, unless the caller names one", async () => {
  const configuration = { apiKey: new Secret("sk-ant-1"), baseUrl: upstream.url };
  const call = { ...calls["a message"]!, body: { ...body, temperature: 0.2 } };
  await sendThroughPlugin(configuration, call);
  await sendThroughPlugin(configuration, {
    ...call,
    headers: { "anthropic-version": currentVersion },
  });
  expect(upstream.requests.map(({ headers }) => headers["anthropic-version"])).toEqual([
    "2023-06-01",
    currentVersion,
  ]);
});

test("betas of connection, caller and body add up, each once", async () => {
  await sendThroughPlugin({
    apiKey: new Secret("sk-ant-1"),
    baseUrl: upstream.url,
    headers: { "anthropic-beta": new Secret("a, b") },
  }, {
    ...calls["a message"]!,
    body: { ...body, betas: ["c", "d"] },
    headers: { "anthropic-beta": "b,c" },
  });
  expect(upstream.requests[0]?.headers["anthropic-beta"]).toBe("a,b,c,d");
  expect(JSON.parse(upstream.requests[0]!.body)).toEqual(body);
});

test("betas leave the rest of a passed-through body as it is, and what is no list of names stays", async () => {
  const configuration = { apiKey: new Secret("sk-ant-1"), baseUrl: upstream.url };
  const text = '{ "betas":["a"], "x": 1.0,"y":"\\u00e9 \\"betas\\"" }';
  await sendThroughPlugin(configuration, calls["a message"]!, text);
  await sendThroughPlugin(configuration, calls["a message"]!, '{"betas":["a\\r\\nb: c"]}');
  const [good, bad] = upstream.requests;
  expect(good?.body).toContain('"x": 1.0,"y":"\\u00e9 \\"betas\\""');
  expect(JSON.parse(good!.body)).not.toHaveProperty("betas");
  expect(good?.headers["anthropic-beta"]).toBe("a");
  expect(bad?.body).toBe('{"betas":["a\\r\\nb: c"]}');
  expect(bad?.headers).not.toHaveProperty("anthropic-beta");
});

async function sendThroughPlugin(
  configuration: AnthropicConfiguration,
  { path, body, headers = {}, query }: Omit<OracleCall, "sdk">,
  text = JSON.stringify(body),
): Promise<void> {
  const provider = createAnthropicProvider({ http: client, fetch: client.fetch, clock });
  const connection: ProviderConnection = {
    connectionId: "c",
    name: "c",
    workspaceId: "w",
    environmentId: "e",
    config: { ...configuration },
  };
  const request: ProviderRequest = {
    requestId: "r",
    operation: "chat",
    dialect: "anthropic-messages",
    model: String(body["model"]),
    stream: body["stream"] === true,
    path,
    ...(query === undefined ? {} : { query }),
    body: text,
    bodyObject: () => JSON.parse(text) as JsonObject,
    headers,
  };
  const response = await provider.send(request, connection, new AbortController().signal);
  for await (const _chunk of response.body);
}

function comparable({ method, url, headers, body }: RecordedRequest): unknown {
  const kept = Object.entries(headers).filter(([name]) => !transportHeaders.test(name));
  return { method, url, headers: Object.fromEntries(kept), body: JSON.parse(body) };
}

test("the default base URL is the SDK's", () => {
  expect(new Anthropic({ apiKey: "sk-ant-x", baseURL: null }).baseURL).toBe(defaultBaseUrl);
});

const connectionTo = (baseUrl: string): ProviderConnection =>
  ({ config: { apiKey: new Secret("sk-ant-own"), baseUrl } }) as unknown as ProviderConnection;

test("the model list takes nothing from the process's environment", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    ANTHROPIC_BASE_URL: "http://127.0.0.2:1",
    ANTHROPIC_API_KEY: "sk-ant-env",
    ANTHROPIC_AUTH_TOKEN: "token-env",
    ANTHROPIC_CUSTOM_HEADERS: "Authorization: Bearer key-env\nX-Own: value-env",
    ANTHROPIC_PROFILE: "profile-env",
    ANTHROPIC_LOG: "debug",
  });
  try {
    upstream.script(fakeAnswers.json(200, { data: [{ id: "m" }], has_more: false }));
    const provider = createAnthropicProvider({ http: client, fetch: client.fetch, clock });
    const connection = connectionTo(upstream.url);
    expect(await provider.listModels?.(connection, new AbortController().signal)).toEqual(["m"]);
    const headers = JSON.stringify(upstream.requests[0]?.headers);
    expect(headers).toContain("sk-ant-own");
    expect(headers).not.toContain("-env");
  } finally {
    process.env = before;
  }
});

test("the model list is read to its last page, and a broken one is left", async () => {
  const page = (ids: string[], more: boolean) =>
    fakeAnswers.json(200, {
      data: ids.map((id) => ({ id })),
      has_more: more,
      last_id: ids.at(-1) ?? null,
    });
  const provider = createAnthropicProvider({ http: client, fetch: client.fetch, clock });
  const list = () => provider.listModels!(connectionTo(upstream.url), new AbortController().signal);
  upstream.script(page(["a", "b"], true), page(["c"], false));
  expect(await list()).toEqual(["a", "b", "c"]);
  expect(upstream.requests.map(({ url }) => url)).toEqual([
    "/v1/models?limit=1000",
    "/v1/models?limit=1000&after_id=b",
  ]);
  upstream.script(page(["a"], true));
  expect(await list()).toEqual(["a", "a"]);
});
