import { beforeEach, expect, test } from "vitest";
import { dataKeyLimits } from "./data-keys.ts";
import { createKmsEncryption, type KmsEncryption } from "./encryption.ts";
import { parseKeys } from "./keys.ts";
import { createFakeKeyService, type FakeKeyService } from "./testing.ts";

const context = { environment: "env", owner: "connection", field: "apiKey" };
const bytes = Buffer.from("a secret");

let service: FakeKeyService;
let now: number;
let encryption: KmsEncryption;

beforeEach(() => {
  now = 0;
  service = createFakeKeyService("seed");
  encryption = create();
});

function create(keys = "alias/one"): KmsEncryption {
  const clock = { monotonic: () => now };
  return createKmsEncryption({ keys: parseKeys(keys, "keys"), service, clock });
}

test("one data key serves an environment for five minutes, however many ask at once", async () => {
  const seal = () => encryption.seal(bytes, context);
  const sealed = await Promise.all(Array.from({ length: 50 }, seal));
  expect(service.calls).toBe(1);
  await Promise.all(sealed.map((text) => encryption.open(text, context)));
  expect(service.calls).toBe(1);
  expect(new Set(sealed.map((text) => text.split(":")[2])).size).toBe(1);
  now = dataKeyLimits.lifeMs;
  await seal();
  expect(service.calls).toBe(2);
});

test("each environment has a data key of its own", async () => {
  const one = await encryption.seal(bytes, context);
  const other = await encryption.seal(bytes, { ...context, environment: "other" });
  expect(service.calls).toBe(2);
  expect(one.split(":")[2]).not.toBe(other.split(":")[2]);
});

test("what a process opened it seals with, so that processes come to share a data key", async () => {
  const sealed = await encryption.seal(bytes, context);
  const other = create();
  await other.open(sealed, context);
  expect((await other.seal(bytes, context)).split(":")[2]).toBe(sealed.split(":")[2]);
  expect(service.calls).toBe(2);
});

test("while KMS is away cached keys go on, and what needs a new one says so", async () => {
  const sealed = await encryption.seal(bytes, context);
  service.isAway = true;
  now = dataKeyLimits.lifeMs - 1;
  expect(Buffer.from(await encryption.open(sealed, context))).toEqual(bytes);
  await encryption.seal(bytes, context);
  now = dataKeyLimits.lifeMs;
  for (const work of [encryption.open(sealed, context), encryption.seal(bytes, context)]) {
    await expect(work).rejects.toMatchObject({ code: "ENCRYPTION_UNAVAILABLE" });
  }
  service.isAway = false;
  // What failed is not remembered.
  expect(Buffer.from(await encryption.open(sealed, context))).toEqual(bytes);
});

test("keys that are forgotten are erased", async () => {
  const made: Uint8Array[] = [];
  const { generate } = service;
  service.generate = async (keyId, bound) => {
    const dataKey = await generate(keyId, bound);
    made.push(dataKey.plain);
    return dataKey;
  };
  const sealed = await encryption.seal(bytes, context);
  expect(made[0]!.some((byte) => byte !== 0)).toBe(true);
  encryption.forget();
  await Promise.resolve();
  expect(made[0]!.every((byte) => byte === 0)).toBe(true);
  expect(Buffer.from(await encryption.open(sealed, context))).toEqual(bytes);
});

test.each([
  ["", "Cannot read KEYS: it is empty"],
  ["alias/a,alias/b", 'Cannot read KEYS: entry 1 does not begin with a version and ":"'],
  ["1:alias/a,1:alias/b", "Cannot read KEYS: version 1 appears twice"],
  ["1:alias/a,2:alias/a", "Cannot read KEYS: version 2 has the key of another version"],
])("a bad list of keys is refused: %s", (text, message) => {
  expect(() => parseKeys(text, "KEYS")).toThrow(message);
});

test("an ARN has colons of its own and is one key", () => {
  const arn = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012";
  expect([...parseKeys(arn, "KEYS")]).toEqual([[1, arn]]);
  expect([...parseKeys(`1:${arn},2:alias/next`, "KEYS")]).toEqual([[1, arn], [2, "alias/next"]]);
});
