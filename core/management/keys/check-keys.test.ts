import { afterAll, beforeAll, expect, test } from "vitest";
import { change } from "../../store/change.ts";
import type { Database } from "../../store/database.ts";
import { AiConnection, KeyFingerprint } from "../../store/entities/index.ts";
import { startTestDatabase, type TestDatabase } from "../../store/testing.ts";
import { checkKeys } from "./check-keys.ts";
import {
  createKeyHost,
  createOpenBackend,
  createTestReEncryption,
  type OpenBackend,
  seeder,
  seedSecrets,
} from "./testing-backends.ts";

let server: TestDatabase;
let database: Database;
let ids: readonly string[];

beforeAll(async () => {
  server = await startTestDatabase();
  database = await server.open();
  const { encryption } = createTestReEncryption(database, { one: backendOf({ 2: "two" }) });
  ({ ids } = await seedSecrets(database, encryption, 3));
});
afterAll(() => server.stop());

const backendOf = (keys: Record<number, string>, id = "one") => createOpenBackend(id, keys);

/** Starts with these backends, of which the first seals; answers why it failed. */
async function start(backends: Record<string, OpenBackend>): Promise<string> {
  const chosen = Object.keys(backends)[0]!;
  return await checkKeys({ database, host: createKeyHost(backends), chosen })
    .then(() => "started", (error: Error) => `${error.name}: ${error.message}`);
}

test("processes that start at once remember the same keys", async () => {
  const starts = Array.from({ length: 4 }, () => start({ one: backendOf({ 1: "a", 2: "two" }) }));
  expect(await Promise.all(starts)).toEqual(Array(4).fill("started"));
  const rows = await database.em().find(KeyFingerprint, {}, { orderBy: { keyVersion: 1 } });
  expect(rows.map(({ backend, keyVersion, fingerprint }) => [backend, keyVersion, fingerprint]))
    .toEqual([["one", 1, "fingerprint of a"], ["one", 2, "fingerprint of two"]]);
});

test("a start without a key that values need says which, and that it is needed", async () => {
  expect(await start({ one: backendOf({ 1: "a", 3: "c" }) })).toBe(
    'StartError: Cannot start: stored secrets need key version 2 of "one", which is not configured; ' +
      "there is 1, 3. Put it back, and withdraw it when re-encryption is complete",
  );
});

test("a start without a backend that values need says which", async () => {
  expect(await start({ other: backendOf({ 1: "x" }, "other") })).toBe(
    'StartError: Cannot start: stored secrets need key version 2 of "one": No plugin provides "one"',
  );
  expect(await start({ other: backendOf({ 1: "x" }, "other"), one: backendOf({ 2: "two" }) }))
    .toBe("started");
});

test("a version that values need cannot become another key, one that none needs can", async () => {
  expect(await start({ one: backendOf({ 2: "changed" }) })).toBe(
    'StartError: Cannot start: key version 2 of "one" is not the key it was when secrets were ' +
      "sealed with it. Give the new key a version of its own",
  );
  expect(await start({ one: backendOf({ 1: "changed", 2: "two" }) })).toBe("started");
});

test("a text that only looks sealed cannot stop the start", async () => {
  const looks = (provider: string, text: string) =>
    change(database, seeder, async ({ em }) => {
      const row = await em.findOneOrFail(AiConnection, ids[0]!);
      Object.assign(row, { provider, config: { baseUrl: text } });
    });
  await looks("known", "one:99:text");
  expect(await start({ one: backendOf({ 2: "two" }) })).toBe("started");
  // Of a plugin that is gone nobody knows what is secret.
  await looks("gone", "one:99:text");
  expect(await start({ one: backendOf({ 2: "two" }) })).toBe("started");
});
