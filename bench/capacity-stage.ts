/*
 * What limits cost: CPU microseconds per request of the whole stage with the store in memory, estimate, reservation,
 * record and settlement included.
 *
 *   node bench/capacity-stage.ts [--rounds N]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { createCapacity } from "../core/capacity/index.ts";
import type { Clock, Log, SharedState } from "../core/contract/index.ts";
import { admit } from "../core/gateway/admit.ts";
import type { Exchange } from "../core/gateway/exchange.ts";
import type { LegRecord } from "../core/gateway/leg.ts";
import { completeSettings } from "../core/store/environment-settings.ts";
import type { ConnectionView } from "../core/store/snapshot.ts";
import { createMemoryStore } from "../plugins/capacity-memory/memory-store.ts";
import { inbound } from "../plugins/dialect-openai-chat/inbound.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "200000" } },
});
const rounds = Number(options.rounds);

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const environmentId = "22222222-2222-4222-8222-222222222222";
const plenty = { requests: 1e12, tokens: 1e15 };

await measure("nothing limits", {});
await measure("one limit", { connection: [{ period: "minute", ...plenty }] });
await measure("four limits of connection, resource and API key", {
  connection: [{ period: "minute", ...plenty }, { period: "day", ...plenty }],
  resource: [{ period: "hour", ...plenty }],
  apiKey: [{ period: "day", ...plenty }],
});
await measure("six limits, two of them by source and tenant", {
  connection: [
    { period: "minute", ...plenty },
    { period: "day", ...plenty },
    { period: "minute", dimension: "source-ip", ...plenty },
  ],
  resource: [
    { period: "hour", ...plenty },
    { period: "day", dimension: "metadata", dimensionField: "tenant", ...plenty },
  ],
  apiKey: [{ period: "day", ...plenty }],
});

interface Limits {
  readonly connection?: readonly object[];
  readonly resource?: readonly object[];
  readonly apiKey?: readonly object[];
}

async function measure(name: string, limits: Limits): Promise<void> {
  const run = createStage(limits);
  await run(rounds / 4);
  let best = Infinity;
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = process.cpuUsage();
    await run(rounds / 5);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / (rounds / 5));
  }
  console.log(`${name}: ${best.toFixed(2)} us CPU per request`);
}

function createStage(limits: Limits): (times: number) => Promise<void> {
  const capacity = createCapacity({
    store: createMemoryStore(clock),
    sharedState: () => Promise.reject<SharedState>(new Error("not used")),
    processId: "bench",
    onStoreFailure: "local",
    timeoutMs: 25,
    environments: () => [environmentId],
    clock,
    log: silent,
  });
  const view = (id: string, capacity: readonly object[] = []) => ({
    [id]: id,
    environmentId,
    name: id,
    enforceCapacity: true,
    capacity,
  });
  const connection = view("connectionId", limits.connection) as unknown as ConnectionView;
  const environment = { environmentId, settings: completeSettings({}), pools: [] };
  const resource = { ...view("resourceId", limits.resource), defaultArgs: null };
  const apiKey = view("apiKeyId", limits.apiKey);
  const value = {
    model: "fast",
    max_tokens: 4000,
    messages: [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: "What is the capital of France?" },
    ],
  };
  const answered = {
    estimatedOutputTokens: 9,
    tokens: {
      inputUncached: 24,
      inputCacheRead: null,
      inputCacheWrite5m: null,
      inputCacheWrite1h: null,
      output: 9,
      reasoning: null,
      audioInput: null,
      audioOutput: null,
      promptTotal: 24,
      completionTotal: 9,
    },
  };

  return async (times) => {
    for (let at = 0; at < times; at++) {
      const exchange = {
        dialect: { inbound },
        request: { endpoint: { operation: "chat" }, sourceIp: "127.0.0.1" },
        services: { capacity, clock },
        caller: { kind: "api-key", apiKey, environment },
        target: { kind: "resource", resource },
        envelope: { metadata: { tenant: "acme" } },
        body: { value, text: "", model: "fast", stream: false },
      } as unknown as Exchange;
      const record = { connectionId: "c", model: "m", warnings: [] } as unknown as LegRecord;
      const admitted = await admit(exchange, record, connection, 600_000);
      admitted.settle(answered, true);
    }
  };
}
