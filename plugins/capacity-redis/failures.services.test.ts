import process from "node:process";
import { afterEach, expect, test } from "vitest";
import type { CapacityStore, Meter } from "@vmx/core/contract";
import { listeningLog, openStore, type RedisServer, startRedisServer, wait } from "./testing.ts";
import { warnOfEviction } from "./warn-of-eviction.ts";

const meter: Meter = {
  level: "connection",
  subjectId: "c",
  period: "lifetime",
  limit: { requests: 1_000, tokens: null },
};
let made = 0;
const reserve = (store: CapacityStore) =>
  store.reserve({
    environmentId: "env",
    reservationId: `r${++made}`,
    processId: "p",
    ttlMs: 60_000,
    amount: { requests: 1, tokens: 5 },
    meters: [meter],
  });
const used = async (store: CapacityStore) => (await store.read("env", [meter]))[0]!.used.requests;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const serve = async (options?: readonly string[]): Promise<RedisServer> => {
  const server = await startRedisServer(options);
  closing.push(() => server.stop());
  return server;
};
const open = async (url: string) => {
  const opened = await openStore(url);
  closing.push(() => opened.store.close());
  return opened;
};
const until = async (holds: () => Promise<boolean>): Promise<number> => {
  const start = performance.now();
  while (performance.now() - start < 10_000) {
    if (await holds().catch(() => false)) return performance.now() - start;
    await wait(20);
  }
  throw new Error("It did not come to hold within 10 s");
};

test("forgotten scripts are sent again without a step being lost or made twice", async () => {
  const server = await serve();
  const { store, connection } = await open(server.url);
  await reserve(store);
  await connection.client.script("FLUSH");
  await Promise.all(Array.from({ length: 50 }, () => reserve(store)));
  expect(await used(store)).toBe(51);
});

test("a flushed server begins empty, says so, and takes the copy", async () => {
  const server = await serve();
  const { store, connection } = await open(server.url);
  await store.restore("env", []);
  const asked = await reserve(store);
  expect(asked.admitted).toBe(true);
  const copy = await store.dump("env");
  expect(copy).toHaveLength(1);
  await connection.client.flushall();
  await store.settle("env", `r${made}`, { requests: 1, tokens: 9 });
  await reserve(store);
  expect(await store.dump("env")).toBeUndefined();
  expect(await store.restore("env", copy!)).toBe(true);
  expect(await used(store)).toBe(2);
});

test("calls are refused at once while the server is gone, and none is made up for later", async () => {
  const server = await serve();
  const { store, lines } = await open(server.url);
  await reserve(store);
  await server.stop();
  await until(() => reserve(store).then(() => false, () => true));
  for (let attempt = 0; attempt < 20; attempt++) {
    const start = performance.now();
    await expect(reserve(store)).rejects.toThrow(/^Redis failed: /);
    expect(performance.now() - start).toBeLessThan(100);
  }
  await server.start();
  await until(async () => await used(store) === 0);
  await wait(200);
  expect(await used(store)).toBe(0);
  expect(lines.filter((line) => line.startsWith("Redis is away"))).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith("Redis is back"))).toHaveLength(1);
});

test("a frozen server that wakes up makes each step once", async () => {
  const server = await serve();
  const { store } = await open(server.url);
  await reserve(store);
  process.kill(server.pid, "SIGSTOP");
  const pending = Array.from({ length: 30 }, () => reserve(store));
  await wait(300);
  process.kill(server.pid, "SIGCONT");
  const replies = await Promise.all(pending);
  expect(replies.every(({ admitted }) => admitted)).toBe(true);
  expect(await used(store)).toBe(31);
});

test(
  "what a frozen server leaves unanswered ends with its connection, and is not sent again",
  async () => {
    const server = await serve();
    const { store } = await open(server.url);
    await reserve(store);
    process.kill(server.pid, "SIGSTOP");
    const pending = await Promise.allSettled(Array.from({ length: 5 }, () => reserve(store)));
    expect(pending.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    process.kill(server.pid, "SIGCONT");
    await until(async () => await used(store) >= 1);
    await wait(200);
    // The server may have read them: each counts once, and its reservation tells.
    expect(await used(store)).toBeLessThanOrEqual(6);
  },
  30_000,
);

test("a password appears in no error and no log line", async () => {
  const server = await serve(["--requirepass", "s3cret-canary"]);
  const wrong = await open(server.url.replace("//", "//:wrong-canary@"));
  const failure = await reserve(wrong.store).then(() => undefined, (error: Error) => error);
  expect(failure).toBeInstanceOf(Error);
  const seen = [String(failure), failure?.stack, JSON.stringify(failure), ...wrong.lines].join(
    "\n",
  );
  expect(seen).not.toContain("canary");
  expect(wrong.lines.join("\n")).toMatch(/Redis is away .*WRONGPASS/);
  const right = await open(server.url.replace("//", "//:s3cret-canary@"));
  expect((await reserve(right.store)).admitted).toBe(true);
});

test("a server that may evict keys is warned of, one that may not is not", async () => {
  const evicting = await serve(["--maxmemory-policy", "allkeys-lru"]);
  const keeping = await serve(["--maxmemory-policy", "noeviction"]);
  const warnings = async (server: RedisServer) => {
    const { connection } = await open(server.url);
    const { log, lines } = listeningLog();
    warnOfEviction(connection, log);
    connection.client.emit("ready");
    connection.client.emit("ready");
    await wait(100);
    return lines;
  };
  expect(await warnings(evicting)).toEqual([
    'Redis may forget limits: set maxmemory-policy to noeviction {"maxmemoryPolicy":"allkeys-lru"}',
  ]);
  expect(await warnings(keeping)).toEqual([]);
});
