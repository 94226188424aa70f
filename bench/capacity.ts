/*
 * What a capacity store costs: CPU microseconds of this process per reservation that is settled, with four meters,
 * and with a pool gate on top. With a Redis, also what the server spends.
 *
 *   node bench/capacity.ts [--rounds N] [--redis redis://127.0.0.1:6379]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { CapacityStore, Meter, PoolGate } from "../core/contract/index.ts";
import { createMemoryStore } from "../plugins/capacity-memory/memory-store.ts";
import { createRedisStore } from "../plugins/capacity-redis/redis-store.ts";
import { openRedis } from "../plugins/shared-state-redis/connection.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "200000" }, redis: { type: "string" } },
});
const limit = 1_000_000_000;
const resources = Array.from({ length: 50 }, (_, at) => `resource-${at}`);

const metersOf = (round: number): Meter[] => [
  meter("connection", "connection-1", "minute"),
  meter("resource", resources[round % resources.length]!, "minute"),
  meter("api-key", "key-1", "hour"),
  {
    ...meter("api-key", "key-1", "day"),
    dimension: { name: "source-ip", value: `10.0.0.${round % 200}` },
  },
];
const gate: PoolGate = {
  connectionId: "connection-1",
  limit,
  pool: "chat",
  pools: ["chat", "docs", "jobs"].map((name, rank) => ({ name, rank, min: 20_000, max: 100_000 })),
};

const memory = createMemoryStore({ now: () => Date.now() });
const rounds = Number(options.rounds);
let made = 0;
for (const pool of [undefined, gate]) {
  const title = `memory, four meters${pool ? " and a pool" : ""}`;
  await measure(title, memory, pool, rounds, 1);
}
if (options.redis) {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const connection = await openRedis({ url: options.redis }, log);
  await connection.ready(2_000);
  const store = createRedisStore(connection);
  for (const pool of [undefined, gate]) {
    const before = serverMicroseconds(await connection.client.info("cpu"));
    const title = `redis, four meters${pool ? " and a pool" : ""}`;
    await measure(title, store, pool, rounds / 10, 32);
    const spent = serverMicroseconds(await connection.client.info("cpu")) - before;
    console.log(`${"".padEnd(36)} ${(spent / (rounds / 10) / 1.1).toFixed(1)} us of the server`);
  }
  await store.close();
}

async function measure(
  title: string,
  store: CapacityStore,
  pool: PoolGate | undefined,
  count: number,
  callers: number,
): Promise<void> {
  await play(store, pool, count / 10, callers);
  const cpu = process.cpuUsage();
  const start = performance.now();
  await play(store, pool, count, callers);
  const { user, system } = process.cpuUsage(cpu);
  const wall = (performance.now() - start) * 1000;
  const perRound = (microseconds: number) => (microseconds / count).toFixed(2);
  console.log(
    `${title.padEnd(36)} ${perRound(user + system)} us CPU, ${perRound(wall)} us wall per request`,
  );
}

async function play(
  store: CapacityStore,
  pool: PoolGate | undefined,
  count: number,
  callers: number,
): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (left-- > 0) {
      const reservationId = `0190b5c0-${++made}`;
      const reply = await store.reserve({
        environmentId: "bench",
        reservationId,
        processId: "bench",
        ttlMs: 60_000,
        amount: { requests: 1, tokens: 1_550 },
        meters: metersOf(made),
        ...(pool && { pool }),
      });
      if (!reply.admitted) throw new Error(`Refused: ${JSON.stringify(reply.refused)}`);
      await store.settle("bench", reservationId, { requests: 1, tokens: 1_000 });
    }
  }));
}

function meter(level: Meter["level"], subjectId: string, period: Meter["period"]): Meter {
  return { level, subjectId, period, limit: { requests: limit, tokens: limit * 1_000 } };
}

function serverMicroseconds(info: string): number {
  const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
  return (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1_000_000;
}
