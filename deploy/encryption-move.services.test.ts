import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { randomBytes } from "node:crypto";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createConnections,
  createKeysWorld,
  type KeysWorld,
  reEncrypted,
  rotateUnderLoad,
} from "../core/management/keys/testing.ts";
import {
  type KmsEmulator,
  startKmsEmulator,
} from "../plugins/encryption-aws-kms/testing-emulator.ts";

/* The move of an installation from its own keys to those of KMS, and back, while it serves. */

const access = {
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "AKIATESTTESTTESTTEST",
  AWS_SECRET_ACCESS_KEY: "secret",
};
const own = { VMX_ENCRYPTION_KEYS: `3:${randomBytes(32).toString("base64")}` };
let emulator: KmsEmulator;
let world: KeysWorld;
let kms: Record<string, string>;

beforeAll(async () => {
  emulator = await startKmsEmulator();
  // The SDK reads the host's own variables.
  Object.assign(process.env, access, { AWS_ENDPOINT_URL_KMS: emulator.endpoint });
  const client = new KMSClient({ requestHandler: new NodeHttpHandler() });
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
  client.destroy();
  kms = { AWS_KMS_KEY_ID: `5:${KeyMetadata!.Arn!}` };
  world = await createKeysWorld();
  // The first use installs the emulator.
}, 300_000);
afterAll(async () => {
  await world?.stop();
  await emulator?.stop();
});

const toKms = { VMX_ENCRYPTION_PROVIDER: "aws-kms" };
const total = 25;

test("secrets move to KMS under load, the old key is withdrawn, and they move back", async () => {
  world.accepted.add("credential");
  await world.restart(own);
  const { path, ids } = await createConnections(world, total, "credential");

  await expect(world.restart({ ...toKms, ...kms })).rejects.toThrow(
    'Cannot start: stored secrets need key version 3 of "libsodium"',
  );
  await world.restart({ ...toKms, ...kms, ...own });
  expect((await world.api("GET", "/system/re-encrypt")).body).toMatchObject({
    backend: "aws-kms",
    keyVersion: 5,
    keys: [{ backend: "libsodium", keyVersion: 3, values: total }],
  });
  const { statuses } = await rotateUnderLoad(world, `${path}/ai-connections/${ids[0]}`, {
    keyVersion: 5,
    requests: 60,
  });
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(await reEncrypted(world)).toMatchObject({
    state: "idle",
    done: total,
    keys: [{ backend: "aws-kms", keyVersion: 5, values: total }],
  });

  await world.restart({ ...toKms, ...kms });
  expect(await world.ask("chat")).toBe(200);
  await expect(world.restart(own)).rejects.toThrow(
    'Cannot start: stored secrets need key version 5 of "aws-kms"',
  );

  await world.restart({ ...own, ...kms });
  await world.api("POST", "/system/re-encrypt", { toKeyVersion: 3 });
  expect(await reEncrypted(world)).toMatchObject({ state: "idle", done: total, errors: [] });
  await world.restart(own);
  expect(await world.ask("chat")).toBe(200);
}, 240_000);

test(
  "while KMS is away a gateway serves, refuses new secrets, and moves on when KMS is back",
  async () => {
    await world.restart({ ...toKms, ...kms, ...own });
    await emulator.cutOff();
    expect(await world.ask("chat")).toBe(200);
    const { data } = (await world.api("GET", "/workspaces?includesEnvironments=true")).body;
    const { workspaceId } = data[0];
    const environments = (await world.api("GET", `/workspaces/${workspaceId}/environments`)).body;
    const { environmentId } = environments.data[0];
    const refused = await world.api(
      "POST",
      `/workspaces/${workspaceId}/environments/${environmentId}/ai-connections`,
      {
        name: "new",
        provider: "openai-compatible",
        config: { baseUrl: world.upstreamUrl, apiKey: "x" },
      },
    );
    expect([refused.status, refused.body.code]).toEqual([503, "ENCRYPTION_UNAVAILABLE"]);
    expect((await world.api("POST", "/system/re-encrypt", { toKeyVersion: 5 })).status).toBe(202);
    const progress = async () => (await world.api("GET", "/system/re-encrypt")).body;
    await expect.poll(async () => (await progress()).errors.join(), { timeout: 60_000 })
      .toContain("Re-encryption cannot go on at present");
    expect(await progress()).toMatchObject({ state: "running", done: 0 });
    await emulator.reconnect();
    expect(await reEncrypted(world)).toMatchObject({ state: "idle", done: total, errors: [] });
  },
  240_000,
);
