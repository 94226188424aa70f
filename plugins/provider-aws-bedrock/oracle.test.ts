import { afterEach, beforeEach, expect, test } from "vitest";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  InvokeModelCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { BedrockClient } from "@aws-sdk/client-bedrock";
import {
  fakeAnswers,
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
} from "@vmx/core/conformance";
import type { JsonObject, ProviderConnection } from "@vmx/core/contract";
import { createEgressGuard, createHttpClient, type GatewayHttpClient, Secret } from "@vmx/core/kit";
import { bedrockConverse } from "@vmx/dialect-bedrock-converse/dialect";
import { type BedrockConfiguration, serviceUrl } from "./configuration.ts";
import { createBedrockProvider } from "./provider.ts";
import { createSdkTransport } from "./sdk-transport.ts";
import { verifySignature } from "./testing.ts";

/*
 * The vendor's SDK is the authority: given the same call it and the plugin must put the same request on the wire.
 * What differs by nature is left out: who the client is, what its transport negotiates, and when it signed. The
 * signatures themselves must verify.
 */
const ownHeaders =
  /^(user-agent|x-amz-user-agent|amz-sdk-.*|x-amz-date|authorization|accept|accept-encoding|connection|content-length|keep-alive)$/;

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const keys = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
let upstream: FakeUpstream;
let client: GatewayHttpClient;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  client = createHttpClient({
    connectTimeoutMs: 1000,
    idleTimeoutMs: 2000,
    guard: createEgressGuard({ privateRanges: "allow" }),
    clock,
  });
});

afterEach(async () => {
  await client.close();
  await upstream.close();
});

const bytes = Buffer.from("iVBORw0KGgo=", "base64");
const content: ConverseCommandInput = {
  modelId: undefined,
  system: [{ text: "Be exact." }, { cachePoint: { type: "default" } }],
  messages: [
    {
      role: "user",
      content: [
        { text: "hello ü \u2028" },
        { image: { format: "png", source: { bytes } } },
        { document: { format: "pdf", name: "report", source: { bytes } } },
      ],
    },
    {
      role: "assistant",
      content: [
        { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } },
        { reasoningContent: { redactedContent: bytes } },
        { toolUse: { toolUseId: "t1", name: "weather", input: { city: "Köln", days: 1.5 } } },
      ],
    },
    {
      role: "user",
      content: [{
        toolResult: { toolUseId: "t1", status: "error", content: [{ json: { a: [1, null] } }] },
      }],
    },
  ],
  inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 1, stopSequences: ["END"] },
  toolConfig: {
    tools: [{ toolSpec: { name: "weather", inputSchema: { json: { type: "object" } } } }],
    toolChoice: { any: {} },
  },
  additionalModelRequestFields: { top_k: 5, thinking: { type: "enabled", budget_tokens: 2048 } },
  additionalModelResponseFieldPaths: ["/stop_sequence"],
  requestMetadata: { team: "blue" },
  guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1", trace: "enabled" },
  performanceConfig: { latency: "optimized" },
  serviceTier: { type: "priority" },
};

const models = [
  "us.anthropic.claude-haiku-4-5-20251001-v1:0",
  "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
  "odd name!'()*~/ü",
];

const configurations: readonly [name: string, make: (url: string) => BedrockConfiguration][] = [
  ["keys", (url) => ({ region: "us-east-1", ...secret(keys), baseUrl: url })],
  ["keys of a session in another region", (url) => ({
    region: "eu-central-1",
    ...secret(keys),
    sessionToken: new Secret("IQoJb3JpZ2luX2VjEXAMPLE"),
    baseUrl: url,
  })],
  ["a base URL with a path", (url) => ({
    region: "us-west-2",
    ...secret(keys),
    // The SDK doubles a slash at the end, which the plugin does not.
    baseUrl: `${url}/deep/er`,
  })],
];

type Kind = "converse" | "converse-stream" | "invoke";
const calls = configurations.flatMap(([configured, configure]) =>
  models.flatMap((model) =>
    (["converse", "converse-stream", "invoke"] as const).map((kind) =>
      [kind, model, configured, configure] as const
    )
  )
);

test.each(calls)("%s of %s with %s goes out as the SDK sends it", async (kind, model, _c, make) => {
  upstream.script(fakeAnswers.json(400, { message: "no" }));
  const configuration = make(upstream.url);
  await callSdk(kind, model, configuration);
  await callPlugin(kind, model, configuration);
  const [theirs, ours] = upstream.requests;
  expect(comparable(ours!)).toEqual(comparable(theirs!));
  for (const request of [theirs!, ours!]) {
    const { accessKeyId, scope, signedHeaders } = verifySignature(request, keys.secretAccessKey);
    expect(accessKeyId).toBe(keys.accessKeyId);
    expect(scope).toMatch(new RegExp(`/${configuration.region}/bedrock/aws4_request$`));
    expect(signedHeaders).toEqual(expect.arrayContaining(["host", "x-amz-date", "content-type"]));
  }
});

async function callSdk(kind: Kind, model: string, configuration: BedrockConfiguration) {
  const sdk = new BedrockRuntimeClient({
    region: configuration.region,
    endpoint: configuration.baseUrl!,
    credentials: {
      ...keys,
      ...(configuration.sessionToken ? { sessionToken: configuration.sessionToken.reveal() } : {}),
    },
    maxAttempts: 1,
    requestHandler: createSdkTransport(client, new AbortController().signal),
  });
  const sent = kind === "converse"
    ? sdk.send(new ConverseCommand({ ...content, modelId: model }))
    : kind === "converse-stream"
    ? sdk.send(new ConverseStreamCommand({ ...content, modelId: model }))
    : sdk.send(
      new InvokeModelCommand({
        modelId: model,
        body: JSON.stringify(embedding),
        contentType: "application/json",
        accept: "application/json",
      }),
    );
  await expect(sent).rejects.toThrow("no");
  sdk.destroy();
}

const embedding = { inputText: "hello ü" };

async function callPlugin(kind: Kind, model: string, configuration: BedrockConfiguration) {
  const provider = createBedrockProvider({ http: client, clock }, { ambient: false });
  const operation = kind === "invoke" ? "embeddings" : "chat";
  const stream = kind === "converse-stream";
  // Bytes are base64 on the wire; the call goes through the dialect as a leg's would.
  const body = kind === "invoke" ? embedding : JSON.parse(
    JSON.stringify(
      { ...content, modelId: undefined },
      (_name, value) =>
        value?.type === "Buffer" ? Buffer.from(value.data).toString("base64") : value,
    ),
  ) as JsonObject;
  const { value: call } = bedrockConverse.decodeRequest(body, operation);
  const { value } = bedrockConverse.encodeRequest(call, { model, family: "aws-bedrock" });
  const request = {
    requestId: "r",
    operation,
    dialect: "bedrock-converse",
    model,
    stream,
    path: bedrockConverse.requestPath({ operation, model, stream }),
    body: JSON.stringify(value),
    bodyObject: () => value,
    headers: { traceparent: "00-1-2-3" },
  } as const;
  const response = await provider.send(
    request,
    connectionOf(configuration),
    AbortSignal.timeout(5000),
  );
  for await (const _chunk of response.body);
}

function connectionOf(configuration: BedrockConfiguration): ProviderConnection {
  return {
    connectionId: "c",
    name: "c",
    workspaceId: "w",
    environmentId: "e",
    config: { ...configuration },
  };
}

function secret({ accessKeyId, secretAccessKey }: typeof keys) {
  return { accessKeyId: new Secret(accessKeyId), secretAccessKey: new Secret(secretAccessKey) };
}

function comparable({ method, url, headers, body }: RecordedRequest): unknown {
  const { traceparent: _trace, ...kept } = headers;
  const compared = Object.entries(kept).filter(([name]) => !ownHeaders.test(name))
    // Bodies of the same value may be spelled differently.
    .filter(([name]) => name !== "x-amz-content-sha256");
  return { method, url, headers: Object.fromEntries(compared), body: JSON.parse(body) };
}

test.each([
  "us-east-1",
  "eu-central-1",
  "ap-southeast-4",
  "us-gov-west-1",
  "cn-north-1",
  "us-iso-east-1",
  "us-isob-east-1",
  "us-isof-south-1",
  "eu-isoe-west-1",
  "eusc-de-east-1",
])("the addresses in %s are the SDK's", async (region) => {
  const settings = { region, credentials: keys };
  const runtime = new BedrockRuntimeClient(settings);
  const control = new BedrockClient(settings);
  const at = { Region: region, UseFIPS: false, UseDualStack: false };
  expect(serviceUrl("bedrock-runtime", region))
    .toBe(runtime.config.endpointProvider(at).url.href.replace(/\/$/, ""));
  expect(serviceUrl("bedrock", region))
    .toBe(control.config.endpointProvider(at).url.href.replace(/\/$/, ""));
});
