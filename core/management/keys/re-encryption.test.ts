import { afterAll, beforeAll, expect, test } from "vitest";
import { GatewayError } from "../../contract/errors.ts";
import { change } from "../../store/change.ts";
import type { Database } from "../../store/database.ts";
import { AiConnection } from "../../store/entities/index.ts";
import { startTestDatabase, type TestDatabase } from "../../store/testing.ts";
import {
  createOpenBackend,
  createTestReEncryption,
  dump,
  seeder,
  seedSecrets,
} from "./testing-backends.ts";

let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await startTestDatabase();
  database = await server.open();
});
afterAll(() => server.stop());

const count = 45;
const total = 2 * count + 3;

/** An installation whose secrets are all sealed with version 1 of `old`. */
async function installation() {
  const tables = ["workspaces", "plugin_settings", "re_encryption"];
  await database.em().execute(`truncate ${tables.map((name) => `vmx.${name}`).join()} cascade`);
  const old = createOpenBackend("old", { 1: "one" });
  const { encryption } = createTestReEncryption(database, { old });
  return await seedSecrets(database, encryption, count);
}

const both = () => createOpenBackend("old", { 1: "one", 2: "two" });

function ended(reEncryption: ReturnType<typeof createTestReEncryption>) {
  const state = async () => (await reEncryption.progress()).state;
  return expect.poll(state, { timeout: 15_000 }).not.toBe("running");
}

test("everything that is sealed is sealed anew, wherever it lies, and stays what it was", async () => {
  const { environmentId, ids } = await installation();
  const process = createTestReEncryption(database, { old: both() });
  expect(await process.progress()).toEqual({
    state: "idle",
    total,
    done: 0,
    keys: [{ backend: "old", keyVersion: 1, values: total }],
    errors: [],
  });
  await process.ask();
  await ended(process);
  expect(await process.progress()).toEqual({
    state: "idle",
    total,
    done: total,
    keys: [{ backend: "old", keyVersion: 2, values: total }],
    errors: [],
  });
  // Whatever table somebody seals values in: none is forgotten.
  expect(await dump(database)).not.toContain("old:1:");
  const last = await database.em().findOneOrFail(AiConnection, ids.at(-1)!);
  const { config } = last as unknown as { config: { baseUrl: string; apiKey: string } };
  expect(config.baseUrl).toBe("https://example.com");
  const place = { environment: environmentId, owner: ids.at(-1)!, field: "apiKey" };
  const opened = await (await process.encryption()).open(config.apiKey, place);
  expect(Buffer.from(opened).toString()).toBe(`key ${count - 1}`);
});

test("values move to another backend, and back", async () => {
  await installation();
  const [old, other] = [
    createOpenBackend("old", { 1: "one" }),
    createOpenBackend("other", { 7: "x" }),
  ];
  const there = createTestReEncryption(database, { other, old });
  await there.ask();
  await ended(there);
  expect(await there.progress()).toMatchObject({
    done: total,
    keys: [{ backend: "other", keyVersion: 7, values: total }],
  });
  expect(await dump(database)).not.toContain("old:1:");
  const back = createTestReEncryption(database, { old, other });
  await back.ask();
  await ended(back);
  expect(await dump(database)).not.toContain("other:7:");
});

test("one process at a time, and another goes on where one died", async () => {
  await installation();
  const dying = both();
  const wake = Promise.withResolvers<void>();
  const asleep = Promise.withResolvers<void>();
  let opened = 0;
  dying.before = () => {
    if (++opened <= count) return;
    asleep.resolve();
    return wake.promise;
  };
  const one = createTestReEncryption(database, { old: dying });
  await one.ask();
  await asleep.promise;

  const living = both();
  let rewrapped = 0;
  living.before = () => void rewrapped++;
  const other = createTestReEncryption(database, { old: living });
  await other.look();
  await other.ask();
  expect((await other.progress()).state).toBe("running");
  expect(rewrapped).toBe(0);

  // The first one gives no sign of life any more.
  await database.em().execute(`update vmx.re_encryption set runner_until = now()`);
  const { done } = await other.progress();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(total);
  await other.look();
  await ended(other);
  expect(await other.progress()).toMatchObject({ state: "idle", done: total, errors: [] });
  expect(rewrapped).toBe(total - done);

  // It was only slow: what it has in hand is too late.
  const before = await dump(database);
  wake.resolve();
  await one.stop();
  expect(await dump(database)).toBe(before);
});

test("whoever is stopped ends after the values in hand, and the next start goes on at once", async () => {
  await installation();
  const backend = both();
  const one = createTestReEncryption(database, { old: backend });
  const stopped = Promise.withResolvers<void>();
  backend.before = () => {
    backend.before = () => {};
    stopped.resolve(one.stop());
  };
  await one.ask();
  await stopped.promise;
  const next = createTestReEncryption(database, { old: both() });
  const { state, done } = await next.progress();
  expect(state).toBe("running");
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(total);
  await next.look();
  await ended(next);
  expect((await next.progress()).done).toBe(total);
});

test("a value that does not open is told and stops nothing; entered anew it is told no more", async () => {
  const { ids } = await installation();
  const [here, there] = [ids[3]!, ids[4]!];
  const swap = (apiKey: string) =>
    change(database, seeder, async ({ em }) => {
      const row = await em.findOneOrFail(AiConnection, here);
      row.config = { ...row.config, apiKey };
    });
  // A text of another place.
  const other = await database.em().findOneOrFail(AiConnection, there);
  await swap(String(other.config["apiKey"]));
  const process = createTestReEncryption(database, { old: both() });
  await process.ask();
  await ended(process);
  const progress = await process.progress();
  expect(progress).toMatchObject({ state: "failed", done: total - 1 });
  expect(progress.errors).toEqual([
    `ai-connection ${here}, apiKey: Cannot open a stored secret`,
  ]);
  await swap(
    await (await process.encryption()).seal(Buffer.from("new"), {
      environment: other.environmentId,
      owner: here,
      field: "apiKey",
    }),
  );
  expect(await process.progress()).toMatchObject({ state: "idle", done: total, errors: [] });
});

test("while a backend is away the job waits, and goes on when it is back", async () => {
  await installation();
  const backend = both();
  let opened = 0;
  backend.before = () => {
    if (++opened > count) throw new GatewayError("ENCRYPTION_UNAVAILABLE", "Cannot reach it");
  };
  const process = createTestReEncryption(database, { old: backend });
  await process.ask();
  await expect.poll(async () => (await process.progress()).errors, { timeout: 15_000 })
    .toEqual(["Re-encryption cannot go on at present: Cannot reach it"]);
  expect((await process.progress()).state).toBe("running");
  backend.before = () => {};
  await expect.poll(async () => {
    await process.look();
    return (await process.progress()).done;
  }, { timeout: 15_000 }).toBe(total);
  await ended(process);
  expect(await process.progress()).toMatchObject({ state: "idle", errors: [] });
});

test("what somebody enters meanwhile stays", async () => {
  const { environmentId, ids } = await installation();
  const backend = both();
  const entered = await createOpenBackend("old", { 1: "one" }).seal(Buffer.from("entered"), {
    environment: environmentId,
    owner: ids[0]!,
    field: "apiKey",
  });
  backend.before = async () => {
    backend.before = () => {};
    await change(database, seeder, async ({ em }) => {
      const row = await em.findOneOrFail(AiConnection, ids[0]!);
      row.config = { ...row.config, apiKey: entered };
    });
  };
  const process = createTestReEncryption(database, { old: backend });
  await process.ask();
  await ended(process);
  expect(await process.progress()).toMatchObject({ state: "idle", done: total });
  const row = await database.em().findOneOrFail(AiConnection, ids[0]!);
  const opened = await (await process.encryption()).open(String(row.config["apiKey"]), {
    environment: environmentId,
    owner: ids[0]!,
    field: "apiKey",
  });
  expect(Buffer.from(opened).toString()).toBe("entered");
});

test("a process with other keys leaves the job alone and tells what it waits for", async () => {
  await installation();
  const backend = both();
  backend.before = () => {
    throw new GatewayError("ENCRYPTION_UNAVAILABLE", "Cannot reach it");
  };
  const newer = createTestReEncryption(database, { old: backend });
  await newer.ask();
  await newer.stop();
  const older = createTestReEncryption(database, { old: createOpenBackend("old", { 1: "one" }) });
  await older.look();
  const progress = await older.progress();
  expect(progress).toMatchObject({ state: "failed", done: total });
  expect(progress.errors.at(-1)).toBe(
    'Key version 2 of "old" was asked for, and this gateway seals with version 1 of "old": ' +
      "start again for that one",
  );
});
