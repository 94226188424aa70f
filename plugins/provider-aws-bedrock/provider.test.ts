import { EventStreamCodec } from "@smithy/core/event-streams";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeAnswers, type FakeUpstream, startFakeUpstream } from "@vmx/core/conformance";
import type { ErrorAnswer, ProviderConnection } from "@vmx/core/contract";
import {
  assembleParts,
  createEgressGuard,
  createHttpClient,
  type GatewayHttpClient,
  Secret,
} from "@vmx/core/kit";
import { bedrockConverse } from "@vmx/dialect-bedrock-converse/dialect";
import { classifyError } from "./classify.ts";
import { modelName, traitsOf } from "./model-traits.ts";
import { createBedrockProvider } from "./provider.ts";
import { verifySignature } from "./testing.ts";

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const secretAccessKey = "secret-canary";
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

const never = new AbortController().signal;
const provider = () => createBedrockProvider({ http: client, clock }, { ambient: false });

function connection(config: Record<string, unknown> = {}): ProviderConnection {
  return {
    connectionId: "c",
    name: "c",
    workspaceId: "w",
    environmentId: "e",
    config: {
      region: "us-east-1",
      accessKeyId: new Secret("AKIDEXAMPLE"),
      secretAccessKey: new Secret(secretAccessKey),
      baseUrl: upstream.url,
      ...config,
    },
  };
}

const codec = new EventStreamCodec(
  (bytes) => typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes),
  (text) => new TextEncoder().encode(text),
);

function event(name: string, body: unknown): Uint8Array {
  return codec.encode({
    headers: {
      ":event-type": { type: "string", value: name },
      ":message-type": { type: "string", value: "event" },
    },
    body: new TextEncoder().encode(JSON.stringify(body)),
  });
}

test("a stream comes as event-stream bytes that its framer and dialect read", async () => {
  upstream.script((response) => {
    response.writeHead(200, {
      "content-type": "application/vnd.amazon.eventstream",
      "x-amzn-requestid": "a5a8cebb",
    });
    response.write(event("messageStart", { role: "assistant" }));
    response.write(event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } }));
    response.write(event("contentBlockStop", { contentBlockIndex: 0 }));
    response.write(event("messageStop", { stopReason: "end_turn" }));
    response.end(event("metadata", {
      usage: { inputTokens: 3, outputTokens: 1, totalTokens: 4 },
      metrics: { latencyMs: 5 },
    }));
  });
  const model = "amazon.nova-lite-v1:0";
  const value = { messages: [{ role: "user", content: [{ text: "hello" }] }] };
  const response = await provider().send(
    {
      requestId: "r",
      operation: "chat",
      dialect: "bedrock-converse",
      model,
      stream: true,
      path: bedrockConverse.requestPath({ operation: "chat", model, stream: true }),
      body: JSON.stringify(value),
      bodyObject: () => value,
      headers: { traceparent: "00-1-2-3", "anthropic-version": "x", "x-amz-date": "evil" },
    },
    connection(),
    never,
  );
  expect(response.framing).toBe("aws-eventstream");
  expect(response.headers["x-request-id"]).toBe("a5a8cebb");
  const framer = provider().framer!();
  const decoder = bedrockConverse.streamDecoder();
  const parts = [];
  for await (const chunk of response.body) {
    for (const frame of framer.push(chunk)) parts.push(...decoder.push(frame));
  }
  for (const frame of framer.end()) parts.push(...decoder.push(frame));
  parts.push(...decoder.end());
  expect(assembleParts(parts).map(({ type }) => type)).toEqual([
    "start",
    "text",
    "usage",
    "finish",
  ]);
  const [request] = upstream.requests;
  expect(request!.url).toBe("/model/amazon.nova-lite-v1%3A0/converse-stream");
  const { signedHeaders } = verifySignature(request!, secretAccessKey);
  expect(request!.headers["traceparent"]).toBe("00-1-2-3");
  expect(signedHeaders).not.toContain("traceparent");
  expect(request!.headers["anthropic-version"]).toBeUndefined();
  expect(request!.headers["x-amz-date"]).toMatch(/^\d{8}T\d{6}Z$/);
});

test("a query and the connection's own headers are signed", async () => {
  const headers = { "x-amz-team": new Secret("blue  green"), "host": "evil" };
  const response = await provider().send(
    {
      requestId: "r",
      operation: "chat",
      dialect: "bedrock-converse",
      model: "m",
      stream: false,
      path: "/model/m/converse",
      query: "b=2&a=1%20%C3%BC&b=1",
      body: "{}",
      bodyObject: () => ({}),
      headers: {},
    },
    connection({ headers }),
    never,
  );
  for await (const _chunk of response.body);
  const { signedHeaders } = verifySignature(upstream.requests[0]!, secretAccessKey);
  expect(signedHeaders).toContain("x-amz-team");
});

test("the models of the region are listed through the SDK", async () => {
  const modelSummaries = ["amazon.nova-lite-v1:0", "anthropic.claude-3-haiku"].map((modelId) => ({
    modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${modelId}`,
    modelId,
  }));
  upstream.script(fakeAnswers.json(200, { modelSummaries }));
  expect(await provider().listModels!(connection(), never)).toEqual([
    "amazon.nova-lite-v1:0",
    "anthropic.claude-3-haiku",
  ]);
  const [request] = upstream.requests;
  expect(request).toMatchObject({ method: "GET", url: "/foundation-models" });
  expect(verifySignature(request!, secretAccessKey).scope).toContain("/us-east-1/bedrock/");
});

test("a list that fails says so without the credential or the service's words", async () => {
  const list = () => provider().listModels!(connection(), never);
  const refusal = { message: "User: arn:aws:iam::1:user/x is not authorized" };
  const answers = [
    [fakeAnswers.json(403, refusal), "upstream_authentication_error"],
    [fakeAnswers.json(500, refusal), "upstream_error"],
    [fakeAnswers.json(200, { modelSummaries: "none" }), "upstream_invalid_response"],
    [fakeAnswers.text(200, "text/html", "<html></html>"), "upstream_invalid_response"],
  ] as const;
  for (const [answer, code] of answers) {
    upstream.script(answer);
    const error = await list().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toMatch(/canary|arn:/);
  }
  upstream.script(fakeAnswers.resetBefore());
  await expect(list()).rejects.toMatchObject({ name: "ProviderFailure", kind: "reset" });
  const reason = new Error("client left");
  upstream.script(fakeAnswers.silence());
  const controller = new AbortController();
  const listing = provider().listModels!(connection(), controller.signal);
  setTimeout(() => controller.abort(reason), 30);
  await expect(listing).rejects.toBe(reason);
});

test("the model list takes nothing from the process's environment", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_BEARER_TOKEN_BEDROCK: "bearer-env",
    AWS_ENDPOINT_URL_BEDROCK: "http://127.0.0.2:1",
    AWS_ENDPOINT_URL: "http://127.0.0.2:1",
    AWS_ACCESS_KEY_ID: "AKIDENV",
    AWS_SECRET_ACCESS_KEY: "env",
    AWS_REGION: "eu-west-3",
  });
  try {
    upstream.script(fakeAnswers.json(200, { modelSummaries: [] }));
    expect(await provider().listModels!(connection(), never)).toEqual([]);
    const { accessKeyId, scope } = verifySignature(upstream.requests[0]!, secretAccessKey);
    expect([accessKeyId, scope.split("/")[1]]).toEqual(["AKIDEXAMPLE", "us-east-1"]);
  } finally {
    process.env = before;
  }
});

test("guardrail and latency of the connection go into the body, under the caller's own", () => {
  const guardrailConfig = { guardrailIdentifier: "g", guardrailVersion: "1" };
  const configured = connection({ guardrailConfig, performanceConfig: { latency: "optimized" } });
  const profile = provider().profile!("m", "bedrock-converse", configured);
  const messages = [{ role: "user", content: [{ text: "hello" }] }];
  const { value: call } = bedrockConverse.decodeRequest({ messages }, "chat");
  const { value } = bedrockConverse.encodeRequest(call, { model: "m", family: "f", profile });
  expect(value).toEqual({ messages, guardrailConfig, performanceConfig: { latency: "optimized" } });
  const adapt = (body: Record<string, never> | object) =>
    provider().adapt!(
      { operation: "chat", dialect: "bedrock-converse", model: "m", body: { ...body } },
      configured,
    );
  expect(adapt({ performanceConfig: {} })).toEqual({ set: { guardrailConfig } });
  expect(adapt({ performanceConfig: {}, guardrailConfig: {} })).toBeUndefined();
});

test.each([
  ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"],
  ["global.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"],
  [
    "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0",
    "amazon.nova-lite-v1:0",
  ],
  ["arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b", "meta.llama3-8b"],
  ["arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "abc"],
])("%s is the model %s", (model, name) => expect(modelName(model)).toBe(name));

test.each([
  ["anthropic.claude-instant-v1", undefined, false, undefined],
  ["anthropic.claude-3-haiku-20240307-v1:0", "none", false, false],
  ["anthropic.claude-3-5-sonnet-20241022-v2:0", "none", true, false],
  ["anthropic.claude-3-7-sonnet-20250219-v1:0", "budget", true, false],
  ["anthropic.claude-sonnet-4-20250514-v1:0", "budget", true, false],
  ["anthropic.claude-opus-4-1-20250805-v1:0", "budget", true, false],
  ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "budget", true, true],
  ["us.anthropic.claude-opus-4-6-v1", "adaptive", true, true],
  ["anthropic.claude-sonnet-5", "adaptive", true, true],
])("%s: reasoning %s, cache points %s, structured output %s", (model, reasoning, cache, output) => {
  const traits = traitsOf(model);
  expect([traits["reasoning"], traits["cachePoints"], traits["structuredOutput"]])
    .toEqual([reasoning, cache, output]);
});

test("other families are told apart, and an unknown name gets the defaults", () => {
  expect(traitsOf("amazon.nova-2-lite-v1:0")).toMatchObject({ reasoning: "maxReasoningEffort" });
  expect(traitsOf("us.meta.llama3-3-70b-instruct-v1:0")).toMatchObject({ toolChoices: [] });
  expect(traitsOf("mistral.mistral-large-2402-v1:0")).toMatchObject({
    toolChoices: ["auto", "any"],
  });
  expect(traitsOf("openai.gpt-oss-120b-1:0")).toMatchObject({ reasoning: "reasoning_effort" });
  expect(traitsOf("abc")).toEqual({});
});

function classify(status: number, type?: string, headers: ErrorAnswer["headers"] = {}) {
  const named = type === undefined ? headers : { ...headers, "x-amzn-errortype": type };
  return classifyError({ status, headers: named, message: "" }, 0);
}

test("errors are known by the exception's name, whatever their status", () => {
  expect(classify(429, "ThrottlingException:http://internal.amazon.com/coral/")).toEqual({
    reason: "Rate limit exceeded",
    retryable: true,
  });
  expect(classify(400, "ServiceQuotaExceededException")).toEqual({
    reason: "Rate limit exceeded",
    retryable: false,
  });
  expect(classify(400, "ExpiredTokenException")).toEqual({
    reason: "Provider rejected the credential",
    retryable: false,
  });
  expect(classify(424, "ModelErrorException")).toMatchObject({ retryable: true });
  expect(classify(429, "ThrottlingException", { "retry-after": "3" })).toMatchObject({
    retryAfterMs: 3000,
  });
  expect(classify(503, "ServiceUnavailableException")).toBeUndefined();
  expect(classify(400, "ValidationException")).toBeUndefined();
});
