import type { PriceList } from "@vmx/schemas";
import { createSlot } from "../../gateway/testing.ts";
import { createPriceBook } from "../cost/price-book.ts";
import { priceRecord } from "../cost/price-record.ts";
import { startTestRecords, type TestRecords } from "../testing.ts";
import { queryDatabase } from "./query/query-database.ts";
import { readQuestion } from "./query/read-question.ts";
import { startRollups } from "./rollups.ts";

/** What many requests come to, told three times. */
export interface MixedSums {
  readonly audit: Readonly<Record<string, number>>;
  /** From points alone. */
  readonly points: Readonly<Record<string, number>>;
  /** After the rollups were built. */
  readonly rollups: Readonly<Record<string, number>>;
}

const chat = (model: string, more: object = {}) =>
  ["/chat/completions", {
    model,
    messages: [{ role: "user", content: "a few words to answer" }],
    ...more,
  }] as const;
const message = (more: object = {}) =>
  ["/messages", {
    model: "demo",
    max_tokens: 50,
    messages: [{ role: "user", content: "hi there" }],
    ...more,
  }] as const;

/** All dialects, streamed and not; broken off, fallen back, failing, refused. */
const kinds: readonly (readonly [path: string, body: object])[] = [
  chat("demo"),
  chat("demo", { stream: true }),
  ["/responses", { model: "demo", input: "hello there" }],
  ["/responses", { model: "demo", input: "hello there", stream: true }],
  message(),
  message({ stream: true }),
  ["/embeddings", { model: "demo", input: "a text" }],
  chat("falls-back"),
  chat("breaks-off", { stream: true }),
  chat("fails"),
  chat("nobody"),
  ["/chat/completions", { model: "demo", messages: "broken" }],
];

/** Echo is free; here it costs odd amounts, so that rounding shows. */
const prices: PriceList = {
  priceListId: "00000000-0000-4000-8000-000000000000",
  version: 1,
  source: "USER",
  effectiveFrom: new Date(0).toISOString(),
  currency: "USD",
  createdAt: null,
  createdBy: null,
  entries: [{
    provider: "echo",
    model: "*",
    pricePerMillion: { inputUncached: 333_333, output: 1_234_567 },
    pricePerRequest: 17,
  }],
};

/** Sends that many mixed requests through a data plane with records and adds up what audit and usage say. */
export async function playMixedRequests(count: number): Promise<MixedSums> {
  const book = createPriceBook(prices, []);
  const start = Date.now() - 1;
  const world = await startTestRecords({
    price: (record) => {
      const { cost, legs } = priceRecord(record, book);
      return { ...record, cost, legs };
    },
  });
  try {
    setResources(world);
    let next = 0;
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (let index = next++; index < count; index = next++) {
        const [path, body] = kinds[index % kinds.length]!;
        // A stream that breaks off is an error of reading it.
        await (await world.post(path, body)).text().catch(() => "");
      }
    }));
    await world.records.flush(60_000);
    const { statements } = world.database;
    const audit = await auditSums(world);
    const points = await usageSums(world, start);
    const { clock } = world.gateway.services;
    const sharedState = () => world.gateway.host.get("sharedStates", "memory");
    const rollups = startRollups(statements, sharedState, clock, world.gateway.services.log);
    await rollups.run();
    await rollups.stop();
    return { audit, points, rollups: await usageSums(world, start) };
  } finally {
    await world.stop();
  }
}

function setResources({ gateway: { snapshot } }: TestRecords): void {
  const { connectionId } = snapshot.setConnection("sound", "echo");
  const slot = (model: string) => createSlot({ connectionId, provider: "echo", model });
  snapshot.setResource("falls-back", slot("echo-status-503"), {
    useFallback: true,
    fallbackModels: [slot("echo")],
  });
  snapshot.setResource("breaks-off", slot("echo-fail-after-2"));
  snapshot.setResource("fails", slot("echo-status-400"));
}

async function auditSums({ database }: TestRecords): Promise<Record<string, number>> {
  const { read, schema } = database.statements;
  const [row] = await read<Record<string, string>>(`
    with legs as (
      select leg.value as leg from ${schema}.audit, jsonb_array_elements(legs) as leg
    )
    select (select count(*) from ${schema}.audit) as "requestCount",
      (select count(*) from ${schema}.audit where status = 'ok') as "successCount",
      (select sum((cost ->> 'total')::numeric) from ${schema}.audit) as "totalCost",
      (select sum((cost ->> 'output')::numeric) from ${schema}.audit) as "outputCost",
      count(*) as "legCount",
      sum((leg -> 'tokens' ->> 'totalTokens')::numeric) as "totalTokens",
      sum((leg -> 'tokens' ->> 'completionTokens')::numeric) as "completionTokens"
    from legs`);
  return Object.fromEntries(
    Object.entries(row!).map(([name, value]) => [name, Number(value ?? 0)]),
  );
}

async function usageSums(
  { database, gateway }: TestRecords,
  start: number,
): Promise<Record<string, number>> {
  const [environment] = gateway.services.snapshot().environments.values();
  const measures = [
    "requestCount",
    "successCount",
    "totalCost",
    "outputCost",
    "legCount",
    "totalTokens",
    "completionTokens",
  ];
  const { question } = readQuestion({
    filter: {
      dateRange: {
        start: new Date(Math.floor(start / 60_000) * 60_000).toISOString(),
        end: new Date(Math.ceil(Date.now() / 60_000 + 1) * 60_000).toISOString(),
      },
    },
    agg: Object.fromEntries(measures.map((measure) => [measure, "sum" as const])),
    dimensions: [],
  }, environment!);
  const reach = { oldestPoint: 0, oldestRollup: 0 };
  const [group] = await queryDatabase(database.statements, question, reach);
  return Object.fromEntries(measures.map((measure, index) => [measure, group!.values[index]!]));
}
