import { setImmediate as turn } from "node:timers/promises";
import process from "node:process";
import type { Outcome } from "../core/gateway/exchange.ts";
import { createRequestId } from "../core/gateway/request-id.ts";
import { createPriceBook } from "../core/records/cost/price-book.ts";
import { priceRecord } from "../core/records/cost/price-record.ts";
import { systemList } from "../core/records/cost/system-list.ts";
import { startTestRecords } from "../core/records/testing.ts";
import { measurementOf, pointsOf } from "../core/records/usage/points.ts";
import { createSinkQueue } from "../core/records/usage/sink-queue.ts";

/*
 * Prints the processor time the records of a request cost this process, as three figures: building and spooling on
 * the request path, the same with payloads, and shipping to the database off it. Budget: 40 microseconds for audit
 * and usage together on the path.
 */

const echoPrices = {
  ...systemList({ contributions: () => [] }),
  source: "USER" as const,
  effectiveFrom: new Date(0).toISOString(),
  entries: [{
    provider: "echo",
    model: "*",
    pricePerMillion: { inputUncached: 3_000_000, output: 15_000_000 },
  }],
};
const perTurn = 8;
const rounds = 2_500;
const warmUp = 300;

// Prices and a sink beside the database are part of the path.
const pricing = createPriceBook(systemList({ contributions: () => [] }), [echoPrices]);
const world = await startTestRecords({
  price(record) {
    const { cost, legs } = priceRecord(record, pricing);
    return { ...record, cost, legs };
  },
});
const { gateway, records } = world;
const sink = createSinkQueue(
  "bench",
  () =>
    Promise.resolve({
      record: () => Promise.resolve(),
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }),
  gateway.services.clock,
  gateway.services.log,
);
let withSink = false;
records.onRecord((record) => {
  if (withSink) sink.add(pointsOf(record).map(measurementOf));
});
await records.flush();

async function sample(stream: boolean, bytes: number): Promise<Outcome> {
  const response = await world.post("/chat/completions", {
    model: "demo",
    stream,
    messages: [{ role: "user", content: "a question of some words ".repeat(bytes / 25) }],
  });
  await response.text();
  return gateway.outcomes.at(-1)!;
}

/** The outcome as that of a request of its own. */
function another({ exchange, ...rest }: Outcome): Outcome {
  const copy = Object.create(exchange, {
    requestId: { value: createRequestId() },
    capture: { value: exchange.capture, writable: true },
    arrivedAt: { value: Date.now() },
  }) as Outcome["exchange"];
  return { ...rest, exchange: copy };
}

/** Processor microseconds per request of one stage. */
async function measure(outcome: Outcome, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let round = 0; round < count; round++) {
    for (let index = 0; index < perTurn; index++) {
      const one = another(outcome);
      const { capture } = one.exchange;
      void records.onTargeted(one.exchange);
      if (capture) one.exchange.capture = capture;
      records.onFinished(one);
    }
    await turn();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (count * perTurn);
}

function setCapture(payloadCapture: string): void {
  for (const { settings } of gateway.services.snapshot().environments.values()) {
    Object.assign(settings, { payloadCapture });
  }
}

const row = (name: string, value: number) => console.log(`${name.padEnd(46)}${value.toFixed(1)}`);

console.log("records, processor microseconds per request");
const state = records.state();
// Shipping is measured by itself: until then the database is held off.
const release = Promise.withResolvers<void>();
const held = world.database.statements.transaction(async (query) => {
  await query(`lock table ${world.database.statements.schema}.audit in access exclusive mode`);
  await release.promise;
}).catch(() => {});
for (
  const [name, capture, stream, bytes] of [
    ["row with cost alone", "none", false, 200],
    ["row with cost, and points for a sink", "none", false, 200],
    ["row and payload, 1 KiB question", "full", false, 1_000],
    ["row and payload, 10 KiB question", "full", false, 10_000],
    ["row and payload, streamed answer", "full", true, 1_000],
    ["row and summary (metadata)", "metadata", false, 1_000],
  ] as const
) {
  setCapture(capture);
  withSink = name.includes("sink");
  const outcome = await sample(stream, bytes);
  await measure(outcome, warmUp);
  row(name, await measure(outcome, rounds / 5));
}
release.resolve();
await held;

const waiting = records.state().spool.bytes;
const shippedBefore = records.state().shipped;
const before = process.cpuUsage();
await records.flush(600_000);
const { user, system } = process.cpuUsage(before);
const shipped = records.state().shipped - shippedBefore;
row(
  `shipping (${shipped} rows, ${Math.round(waiting / 2 ** 20)} MiB, off the path)`,
  (user + system) / shipped,
);
console.log(`lost ${records.state().lost - state.lost}`);
await sink.close(1_000);
await world.stop();
