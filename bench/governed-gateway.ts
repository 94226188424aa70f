/*
 * A data plane for bench/governance.ts: real plugins and HTTP, a configuration in memory, and what the options put on
 * top of it. Prints its address and key as one line of JSON.
 *
 *   node bench/governed-gateway.ts --upstream http://127.0.0.1:9101/v1 [--capacity memory|redis] [--redis URL] [--records]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { CapacityParts } from "../core/capacity/index.ts";
import { startTestGateway } from "../core/gateway/testing.ts";
import { startTestRecords } from "../core/records/testing.ts";
import { createRedisStore } from "../plugins/capacity-redis/redis-store.ts";
import { openRedis } from "../plugins/shared-state-redis/connection.ts";

const { values: options } = parseArgs({
  options: {
    upstream: { type: "string", default: "http://127.0.0.1:9101/v1" },
    capacity: { type: "string", default: "none" },
    redis: { type: "string", default: "redis://127.0.0.1:6379" },
    records: { type: "boolean", default: false },
  },
});

const gateway = options.records
  ? (await startTestRecords()).gateway
  : await startTestGateway({}, undefined, undefined, await capacityParts());
// What tests look at afterwards would fill the memory here.
Object.defineProperty(gateway.outcomes, "push", { value: () => 0 });

const plenty = { requests: 1e9, tokens: 1e12 };
const limits = (...periods: readonly string[]) =>
  (options.capacity === "none" ? [] : periods).map((period) => ({ period, ...plenty }));
const connection = gateway.snapshot.setConnection("mock", "openai-compatible", {
  config: { baseUrl: options.upstream },
  capacity: limits("minute", "day") as never,
});
gateway.snapshot.setResource("mock-model", {
  connectionId: connection.connectionId,
  provider: connection.provider,
  model: "mock-model",
}, { capacity: limits("hour") as never, enforceCapacity: true });
gateway.snapshot.setApiKey(gateway.apiKey, {
  capacity: limits("day") as never,
  enforceCapacity: true,
});

console.log(JSON.stringify({ url: gateway.url, key: gateway.apiKey }));
process.on("SIGTERM", () => process.exit(0));

async function capacityParts(): Promise<Partial<CapacityParts>> {
  if (options.capacity !== "redis") return {};
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const connection = await openRedis({ url: options.redis }, log);
  await connection.ready(2_000);
  // Two cores are busy here: a missed deadline would measure a store that is away.
  return { store: createRedisStore(connection), timeoutMs: 2_000 };
}
