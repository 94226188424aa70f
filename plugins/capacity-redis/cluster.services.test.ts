import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CapacityStore, Meter } from "@vmx/core/contract";
import { capacityStoreCases, runCases } from "@vmx/core/conformance";
import { openRedis, type RedisConnection } from "@vmx/shared-state-redis/connection";
import { createRedisStore } from "./redis-store.ts";
import { listeningLog, type RedisServer, startRedisServer, wait } from "./testing.ts";

const run = promisify(execFile);
const nodes: RedisServer[] = [];
let url = "";
const opened: RedisConnection[] = [];

async function open(): Promise<RedisConnection> {
  const connection = await openRedis({ url, mode: "cluster" }, listeningLog().log);
  opened.push(connection);
  expect(await connection.ready(5_000)).toBe(true);
  return connection;
}

beforeAll(async () => {
  for (let at = 0; at < 3; at++) {
    nodes.push(
      await startRedisServer(["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]),
    );
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
  // Each node has to hear of the others before it serves.
  for (const { port } of nodes) {
    for (let attempt = 0; attempt < 100; attempt++) {
      const { stdout } = await run("redis-cli", ["-p", String(port), "cluster", "info"]);
      if (stdout.includes("cluster_state:ok")) break;
      await wait(100);
    }
  }
  url = nodes.map((node) => node.url).join(",");
}, 60_000);

afterAll(async () => {
  for (const connection of opened) await connection.close();
  for (const node of nodes) await node.stop();
});

await runCases(
  "capacity store redis cluster",
  capacityStoreCases({
    async create() {
      const toNextMinuteMs = 60_000 - Date.now() % 60_000;
      // The servers' clocks cannot be turned away from the end of a minute.
      if (toNextMinuteMs < 8_000) await wait(toNextMinuteMs + 10);
      const connection = await open();
      for (const { port } of nodes) await run("redis-cli", ["-p", String(port), "flushall"]);
      return createRedisStore(connection);
    },
    now: () => Date.now(),
    advance: wait,
  }),
);

const meter: Meter = {
  level: "connection",
  subjectId: "c",
  period: "lifetime",
  limit: { requests: 100, tokens: null },
};
const reserve = (store: CapacityStore, environmentId: string, at: number) =>
  store.reserve({
    environmentId,
    reservationId: `${environmentId}-${at}`,
    processId: "p",
    ttlMs: 60_000,
    amount: { requests: 1, tokens: 5 },
    meters: [meter],
  });

test("environments spread over the nodes and keep their limits, through slots that move", async () => {
  const store = createRedisStore(await open());
  const environments = Array.from({ length: 12 }, (_, at) => `spread-${at}`);
  const admitted = async (from: number, to: number) => {
    const replies = await Promise.all(
      environments.flatMap((environment) =>
        Array.from({ length: to - from }, (_, at) => reserve(store, environment, from + at))
      ),
    );
    return replies.filter((reply) => reply.admitted).length;
  };
  expect(await admitted(0, 40)).toBe(12 * 40);
  const first = (await run("redis-cli", ["-p", String(nodes[0]!.port), "dbsize"])).stdout;
  expect(Number(first)).toBeGreaterThan(0);
  // A client that knows the old map is told where its keys have gone.
  const idOf = async ({ port }: RedisServer) =>
    (await run("redis-cli", ["-p", String(port), "cluster", "myid"])).stdout.trim();
  await run("redis-cli", [
    "--cluster",
    "reshard",
    `127.0.0.1:${nodes[0]!.port}`,
    "--cluster-from",
    await idOf(nodes[0]!),
    "--cluster-to",
    await idOf(nodes[1]!),
    "--cluster-slots",
    "5461",
    "--cluster-yes",
  ], { timeout: 60_000, maxBuffer: 2 ** 24 });
  expect(await admitted(40, 140)).toBe(12 * 60);
});
