import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createKmsEncryption } from "./encryption.ts";
import { createKeyService, type KeyService } from "./key-service.ts";
import { type KmsEmulator, startKmsEmulator } from "./testing-emulator.ts";

/* The real AWS client against moto's KMS, which was written from AWS' documentation and not from this plugin. */

const context = { environment: "env", owner: "connection", field: "apiKey" };
const bytes = Buffer.from("a secret");
const access = {
  region: "eu-west-1",
  credentials: { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "secret" },
};

let emulator: KmsEmulator;
let service: KeyService;
let first: string;
let second: string;

beforeAll(async () => {
  emulator = await startKmsEmulator();
  service = createKeyService({ ...access, endpoint: emulator.endpoint, timeoutMs: 2_000 });
  const client = new KMSClient({
    ...access,
    endpoint: emulator.endpoint,
    requestHandler: new NodeHttpHandler(),
  });
  const make = async () => (await client.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  first = await make();
  second = await make();
  client.destroy();
  // The first use installs the emulator.
}, 300_000);
afterAll(async () => {
  service.close();
  await emulator.stop();
});
beforeEach(() => {
  emulator.disturb(undefined);
  emulator.calls.length = 0;
});

function encryption(versions: Record<number, string> = { 1: first }, clock = { at: 0 }) {
  const keys = new Map(Object.entries(versions).map(([version, key]) => [Number(version), key]));
  return createKmsEncryption({ keys, service, clock: { monotonic: () => clock.at } });
}

test("what one process seals another opens, and nobody in another place", async () => {
  const sealed = await encryption().seal(bytes, context);
  expect(Buffer.from(await encryption().open(sealed, context))).toEqual(bytes);
  expect(emulator.calls).toEqual(["GenerateDataKey", "Decrypt"]);
  for (const member of ["environment", "owner", "field"] as const) {
    await expect(encryption().open(sealed, { ...context, [member]: "else" }))
      .rejects.toMatchObject({ code: "credential_unavailable" });
  }
});

test("KMS itself refuses a data key under another encryption context", async () => {
  const { wrapped } = await service.generate(first, { "vmx:environment": "one" });
  await expect(service.unwrap(first, wrapped, { "vmx:environment": "other" }))
    .rejects.toMatchObject({ code: "credential_unavailable" });
});

test("old values open after a second key is added, and are rewrapped under it", async () => {
  const sealed = await encryption().seal(bytes, context);
  const both = encryption({ 1: first, 2: second });
  const rewrapped = await both.rewrap(sealed, context);
  expect(both.versionOf(rewrapped)).toBe(2);
  const alone = encryption({ 2: second });
  expect(Buffer.from(await alone.open(rewrapped, context))).toEqual(bytes);
  await expect(alone.open(sealed, context)).rejects.toMatchObject({
    code: "credential_unavailable",
  });
});

test("a refusal of KMS is final for the value and tells neither account nor key", async () => {
  const sealed = await encryption().seal(bytes, context);
  emulator.disturb(() => ({ status: 400, type: "AccessDeniedException" }));
  emulator.calls.length = 0;
  const error = await encryption().open(sealed, context).catch((reason: Error) => reason) as Error;
  expect(error).toMatchObject({ code: "credential_unavailable" });
  expect(error.message).toContain("AccessDeniedException");
  expect(error.message).not.toContain(first);
  expect(emulator.calls).toEqual(["Decrypt"]);
  await expect(encryption().seal(bytes, context)).rejects.toMatchObject({
    code: "ENCRYPTION_UNAVAILABLE",
  });
});

test("a throttled call is tried again after a pause", async () => {
  const sealed = await encryption().seal(bytes, context);
  let refusals = 2;
  emulator.disturb(() => refusals-- > 0 ? { status: 400, type: "ThrottlingException" } : undefined);
  emulator.calls.length = 0;
  const began = performance.now();
  expect(Buffer.from(await encryption().open(sealed, context))).toEqual(bytes);
  expect(emulator.calls).toEqual(["Decrypt", "Decrypt", "Decrypt"]);
  expect(performance.now() - began).toBeGreaterThan(20);
  emulator.disturb(() => ({ status: 400, type: "ThrottlingException" }));
  await expect(encryption().open(sealed, context)).rejects.toMatchObject({
    code: "ENCRYPTION_UNAVAILABLE",
  });
});

test("while KMS is away cached keys go on for five minutes", async () => {
  const clock = { at: 0 };
  const one = encryption({ 1: first }, clock);
  const sealed = await one.seal(bytes, context);
  await emulator.cutOff();
  try {
    clock.at = 299_000;
    expect(Buffer.from(await one.open(sealed, context))).toEqual(bytes);
    await one.seal(bytes, context);
    clock.at = 300_000;
    await expect(one.open(sealed, context)).rejects.toMatchObject({
      code: "ENCRYPTION_UNAVAILABLE",
    });
  } finally {
    await emulator.reconnect();
  }
  expect(Buffer.from(await one.open(sealed, context))).toEqual(bytes);
});
