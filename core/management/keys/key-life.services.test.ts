import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createConnections,
  createKeysWorld,
  type KeysWorld,
  reEncrypted,
  rotateUnderLoad,
} from "./testing.ts";

/* The life of a key: used, joined by a newer one, replaced while traffic goes on, withdrawn. */

const key = () => randomBytes(32).toString("base64");
const [one, two, other] = [key(), key(), key()];
let world: KeysWorld;
let path: string;
let ids: string[];

beforeAll(async () => {
  world = await createKeysWorld();
  await world.restart({ VMX_ENCRYPTION_KEYS: `1:${one}` });
  world.accepted.add("first-credential");
  ({ path, ids } = await createConnections(world, 45, "first-credential"));
});
afterAll(() => world.stop());

test("keys and credentials are rotated under 20 requests per second without a failed one", async () => {
  await world.restart({ VMX_ENCRYPTION_KEYS: `1:${one},2:${two}` });
  expect(await world.ask("chat")).toBe(200);
  const before = (await world.api("GET", "/system/re-encrypt")).body;
  expect(before).toMatchObject({ state: "idle", total: 45, done: 0, keyVersion: 2 });
  expect(before.keys).toEqual([{ backend: "libsodium", keyVersion: 1, values: 45 }]);
  const connectionPath = `${path}/ai-connections/${ids[0]}`;
  const { statuses, rotations } = await rotateUnderLoad(world, connectionPath, {
    keyVersion: 2,
    requests: 100,
  });
  expect(rotations).toBeGreaterThan(3);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const after = await reEncrypted(world);
  expect(after).toMatchObject({ state: "idle", total: 45, done: 45, errors: [] });
  expect(after.keys).toEqual([{ backend: "libsodium", keyVersion: 2, values: 45 }]);
  world.accepted.add("first-credential");
});

test("only the newest version can be asked for", async () => {
  for (const toKeyVersion of [1, 3]) {
    const { status, body } = await world.api("POST", "/system/re-encrypt", { toKeyVersion });
    expect([status, body.code, body.errors[0].path]).toEqual([
      400,
      "VALIDATION_FAILED",
      "/toKeyVersion",
    ]);
  }
});

test("a key is withdrawn when no value needs it, and not before", async () => {
  await world.restart({ VMX_ENCRYPTION_KEYS: `2:${two}` });
  expect(await world.ask("chat")).toBe(200);
  const message = (variables: Record<string, string>) =>
    world.restart(variables).then(() => "it started", (error: Error) => error.message);
  const missing = await message({ VMX_ENCRYPTION_KEYS: `3:${other}` });
  expect(missing).toContain('need key version 2 of "libsodium"');
  const changed = await message({ VMX_ENCRYPTION_KEYS: `2:${other}` });
  expect(changed).toContain('key version 2 of "libsodium" is not the key it was');
  for (const text of [missing, changed]) {
    for (const secret of [one, two, other]) expect(text).not.toContain(secret);
  }
});

test("a gateway that is stopped meanwhile goes on by itself when it starts again", async () => {
  await world.restart({ VMX_ENCRYPTION_KEYS: `2:${two},3:${other}` });
  await world.api("POST", "/system/re-encrypt", { toKeyVersion: 3 });
  await world.restart({ VMX_ENCRYPTION_KEYS: `2:${two},3:${other}` });
  expect(await reEncrypted(world)).toMatchObject({ state: "idle", total: 45, done: 45 });
  expect(await world.ask("chat")).toBe(200);
});
