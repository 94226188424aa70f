import { afterEach, beforeEach, expect, test } from "vitest";
import { inspect } from "node:util";
import { fakeAnswers, type FakeUpstream, startFakeUpstream } from "@vmx/core/conformance";
import type { ProviderConnection } from "@vmx/core/contract";
import { createEgressGuard, createHttpClient, type GatewayHttpClient, Secret } from "@vmx/core/kit";
import { createCredentialSource, type CredentialSettings } from "./credentials.ts";
import { verifySignature } from "./testing.ts";

let nowMs = Date.parse("2026-01-02T03:04:05Z");
const clock = { now: () => nowMs, monotonic: () => performance.now() };
const hostKeys = { accessKeyId: "AKIDHOST", secretAccessKey: "host-secret-canary" };
let sts: FakeUpstream;
let client: GatewayHttpClient;

beforeEach(async () => {
  sts = await startFakeUpstream();
  client = createHttpClient({
    connectTimeoutMs: 1000,
    idleTimeoutMs: 2000,
    guard: createEgressGuard({ privateRanges: "allow" }),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
  });
});

afterEach(async () => {
  await client.close();
  await sts.close();
});

const never = new AbortController().signal;

function source(settings: Partial<CredentialSettings> = {}) {
  return createCredentialSource({ http: client, clock }, {
    ambient: false,
    host: () => Promise.resolve(hostKeys),
    stsEndpoint: sts.url,
    ...settings,
  });
}

function connection(config: Record<string, unknown>, workspaceId = "w-1"): ProviderConnection {
  return {
    connectionId: "c",
    name: "bedrock-prod",
    workspaceId,
    environmentId: "e-1",
    config: { region: "eu-west-1", ...config },
  };
}

const role = { iamRoleArn: "arn:aws:iam::123456789012:role/bedrock" };

function assumed(accessKeyId: string, livesMs: number) {
  const expiration = new Date(nowMs + livesMs).toISOString();
  return fakeAnswers.text(
    200,
    "text/xml",
    `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
      <AssumedRoleUser><Arn>a</Arn><AssumedRoleId>b</AssumedRoleId></AssumedRoleUser>
      <Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials>
    </AssumeRoleResult></AssumeRoleResponse>`,
  );
}

test("static keys are taken as they are, without a call", async () => {
  const keys = { accessKeyId: new Secret("AKID"), secretAccessKey: new Secret("s") };
  expect(await source().of(connection(keys), never)).toEqual({
    accessKeyId: "AKID",
    secretAccessKey: "s",
  });
  expect(await source().of(connection({ ...keys, sessionToken: new Secret("t") }), never))
    .toMatchObject({ sessionToken: "t" });
  expect(sts.requests).toHaveLength(0);
});

test("a role is assumed as the host, with its session name and external ID", async () => {
  sts.script(assumed("ASIA1", 3_600_000));
  const credentials = await source().of(connection(role), never);
  expect(credentials).toMatchObject({
    accessKeyId: "ASIA1",
    secretAccessKey: "s",
    sessionToken: "t",
  });
  const [request] = sts.requests;
  const form = new URLSearchParams(request!.body);
  expect(Object.fromEntries(form)).toMatchObject({
    Action: "AssumeRole",
    RoleArn: role.iamRoleArn,
    RoleSessionName: "vm-x-gateway",
    ExternalId: "w-1:e-1",
  });
  const { accessKeyId, scope } = verifySignature(request!, hostKeys.secretAccessKey);
  expect(accessKeyId).toBe("AKIDHOST");
  expect(scope).toMatch(/\/eu-west-1\/sts\/aws4_request$/);
});

test("requests that wait share one call, and keep what it brought until five minutes before its end", async () => {
  sts.script(assumed("ASIA1", 3_600_000));
  const shared = source();
  const all = await Promise.all(
    Array.from({ length: 20 }, () => shared.of(connection(role), never)),
  );
  expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(["ASIA1"]));
  expect(sts.requests).toHaveLength(1);
  nowMs += 3_600_000 - 300_001;
  await shared.of(connection(role), never);
  expect(sts.requests).toHaveLength(1);
  nowMs += 1;
  sts.script(assumed("ASIA2", 3_600_000));
  expect(await shared.of(connection(role), never)).toMatchObject({ accessKeyId: "ASIA2" });
  expect(sts.requests).toHaveLength(2);
});

test("another environment, and one that was refused, assume the role anew", async () => {
  sts.script(assumed("ASIA1", 3_600_000));
  const shared = source();
  await shared.of(connection(role), never);
  await shared.of(connection(role, "w-2"), never);
  expect(sts.requests).toHaveLength(2);
  expect(sts.requests[1]!.body).toContain("ExternalId=w-2%3Ae-1");
  shared.forget(connection(role));
  await shared.of(connection(role), never);
  expect(sts.requests).toHaveLength(3);
});

test("a refused role fails its request and is tried again by the next", async () => {
  const refusal = `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
    <Message>arn:aws:sts::1:assumed-role/x is not authorized</Message></Error></ErrorResponse>`;
  sts.script(fakeAnswers.text(403, "text/xml", refusal), assumed("ASIA1", 3_600_000));
  const shared = source();
  const failure = await shared.of(connection(role), never).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "upstream_authentication_error" });
  expect(String(failure)).not.toContain("arn:");
  expect(inspect(failure, { depth: 10 })).not.toContain("canary");
  expect(await shared.of(connection(role), never)).toMatchObject({ accessKeyId: "ASIA1" });
});

test("a request that is given up does not break off the call of the others", async () => {
  sts.script(async (response, request) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await assumed("ASIA1", 3_600_000)(response, request);
  });
  const shared = source();
  const reason = new Error("client left");
  const controller = new AbortController();
  const leaving = shared.of(connection(role), controller.signal);
  const staying = shared.of(connection(role), never);
  controller.abort(reason);
  await expect(leaving).rejects.toBe(reason);
  expect(await staying).toMatchObject({ accessKeyId: "ASIA1" });
  expect(sts.requests).toHaveLength(1);
});

test("the host's identity serves connections only where that is allowed", async () => {
  await expect(source().of(connection({}), never)).rejects.toMatchObject({
    code: "credential_unavailable",
    message: expect.stringContaining("VMX_AMBIENT_CREDENTIALS"),
  });
  expect(await source({ ambient: true }).of(connection({}), never)).toEqual(hostKeys);
});

test("a host without an identity is told in a plain sentence", async () => {
  const host = () => Promise.reject(new Error("Could not load credentials from any providers"));
  for (const config of [{}, role]) {
    await expect(source({ ambient: true, host }).of(connection(config), never)).rejects
      .toMatchObject({ code: "credential_unavailable" });
  }
});
