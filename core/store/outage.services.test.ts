import { afterEach, beforeEach, expect, test } from "vitest";
import { type Database, openDatabase } from "./database.ts";
import { pauseServer, silentLog, startTestDatabase, type TestDatabase } from "./testing.ts";

/* A database server that dies while connections to it are pooled. */

const poolMax = 5;
let server: TestDatabase;
let database: Database;

beforeEach(async () => {
  server = await startTestDatabase();
  database = openDatabase({ url: server.url, schema: "vmx", poolMax }, silentLog);
  await Promise.all(Array.from({ length: poolMax }, () => database.transaction(select)));
}, 30_000);
afterEach(() => server.stop());

const select = (em: ReturnType<Database["em"]>) => em.execute("select 1");
const killServer = () => process.kill(server.serverPid(), "SIGQUIT");
const many = () =>
  Promise.allSettled(Array.from({ length: 2 * poolMax }, () => database.transaction(select)));

/** Begins transactions until the death of the server shows, and answers the first failure. */
async function firstFailure(): Promise<unknown> {
  for (;;) {
    const failed = (await many()).find(({ status }) => status === "rejected");
    if (failed) return (failed as PromiseRejectedResult).reason;
  }
}

/** Closes before patience runs out: nobody holds a connection any more. */
async function closesByItself(): Promise<void> {
  const startedAt = performance.now();
  await database.close(15_000);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
}

test("a BEGIN that fails on a dead connection gives it back, so the database can be closed", async () => {
  killServer();
  expect(await firstFailure()).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
  await closesByItself();
});

test("transactions work again once the server is back, however many had failed", async () => {
  for (let round = 0; round < 3; round++) {
    killServer();
    await firstFailure();
    await expect.poll(() => database.ping().then(() => true, () => false), { timeout: 10_000 })
      .toBe(true);
    expect((await many()).map(({ status }) => status)).toEqual(
      Array(2 * poolMax).fill("fulfilled"),
    );
  }
  await database.close();
}, 30_000);

test("a ROLLBACK that fails on a dead connection gives it back", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: poolMax }, (_, index) =>
      database.transaction(async (em) => {
        await select(em);
        if (index === 0) killServer();
        await em.execute("select pg_sleep(5)");
      })),
  );
  expect(results.map(({ status }) => status)).toEqual(Array(poolMax).fill("rejected"));
  await closesByItself();
});

test("a connection that ends while nothing runs on it fails its transaction, not the process", async () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1_000));
  const held = [
    database.statements.transaction(async (query) => {
      await query("select 1");
      await pause();
      await query("select 1");
    }),
    database.transaction(async (em) => {
      await select(em);
      await pause();
      await select(em);
    }),
  ];
  setTimeout(killServer, 300);
  const results = await Promise.allSettled(held);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await closesByItself();
});

test("a paused database fails what runs and what begins within about five seconds", async () => {
  const wake = pauseServer(server.serverPid());
  const tries = {
    transaction: () => database.transaction(select),
    ping: () => database.ping(),
    statement: () => database.statements.read("select 1"),
    "transaction of statements": () =>
      database.statements.transaction((query) => query("select 1")),
  };
  try {
    // The second time no connection is left from before.
    for (let round = 0; round < 2; round++) {
      const took = await Promise.all(
        Object.entries(tries).map(async ([name, run]) => {
          const startedAt = performance.now();
          const failure = await run().then(() => "it worked", (error: unknown) => error);
          expect(failure, name).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
          return performance.now() - startedAt;
        }),
      );
      // Some 4 s on a machine that has nothing else to do; a statement's own limit is 15 s.
      console.log(`failed after ${Math.round(Math.max(...took))} ms`);
      expect(Math.max(...took)).toBeLessThan(10_000);
    }
  } finally {
    wake();
  }
  await expect.poll(() => database.ping().then(() => true, () => false), { timeout: 10_000 })
    .toBe(true);
  expect((await many()).map(({ status }) => status)).toEqual(Array(2 * poolMax).fill("fulfilled"));
  await closesByItself();
}, 60_000);

test("a statement that takes long on a database that lives goes on", async () => {
  const sleep = "select pg_sleep(5)";
  await Promise.all([
    database.transaction((em) => em.execute(sleep)),
    database.statements.read(sleep),
  ]);
  await closesByItself();
}, 60_000);

test("closing does not wait for ever for a transaction that never ends", async () => {
  void database.transaction(() => new Promise(() => {}));
  const sleeping = database.em().execute("select pg_sleep(60)");
  sleeping.catch(() => {});
  await database.ping();
  const startedAt = performance.now();
  await database.close(200);
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  await expect(sleeping).rejects.toThrow("Connection terminated");
});
