import { setTimeout as delay } from "node:timers/promises";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../store/database.ts";
import { silentLog } from "../store/testing.ts";
import { exportAudit } from "./audit-export.ts";
import type { AuditFilter } from "./audit-filter.ts";
import { listAudit, metadataKeys, metadataValues, readAudit } from "./audit-query.ts";
import { createInsert } from "./insert.ts";
import { createPartitions } from "./partitions.ts";
import { recordText } from "./record-text.ts";
import { recordTables, seedAudit, seededEnvironment, seededId } from "./seed-testing.ts";
import { sampleRecord, startTestRecords, type TestRecords } from "./testing.ts";

const rows = Number(process.env["VMX_TEST_ROWS"] ?? 1_000_000);
const days = 30;
const dayMs = 86_400_000;
const pages = 20;
const now = Date.now();
const scope = { environmentId: seededEnvironment, oldest: new Date(now - 90 * dayMs) };
const month = { from: new Date(now - days * dayMs), metadata: {} };

let world: TestRecords;
let database: Database;

beforeAll(async () => {
  world = await startTestRecords();
  const url = process.env["VMX_TEST_DATABASE_URL"];
  database = url === undefined
    ? world.database
    : openDatabase({ url, schema: "vmx_million", poolMax: 5 }, silentLog);
  await database.migrate();
  const { statements } = database;
  const [found] = await statements.read<{ count: string }>(
    `select count(*) from ${statements.schema}.audit`,
  );
  const startedAt = performance.now();
  if (Number(found!.count) < rows) await seedAudit(statements, rows, days, now);
  console.log(`${rows} rows seeded in ${Math.round((performance.now() - startedAt) / 1000)} s`);
}, 1_800_000);

afterAll(async () => {
  if (database !== world.database) await database.close();
  await world.stop();
});

/** Prints how long work took and answers its 95th percentile in milliseconds. */
async function timed(name: string, work: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < pages; round++) {
    const startedAt = performance.now();
    await work(round);
    times.push(performance.now() - startedAt);
  }
  times.sort((one, other) => one - other);
  const [p50, p95] = [0.5, 0.95].map((share) => times[Math.ceil(share * pages) - 1]!);
  console.log(`${name.padEnd(44)} p50 ${p50!.toFixed(0)} ms, p95 ${p95!.toFixed(0)} ms`);
  return p95!;
}

const list = (filter: AuditFilter) =>
  listAudit(database.statements, scope, filter, { limit: 51, now });

const filters: [string, (round: number) => Partial<AuditFilter>][] = [
  ["the last day", () => ({ from: undefined })],
  ["the month", () => ({})],
  ["status error", () => ({ status: "error" })],
  ["status blocked, one in 10,000", () => ({ status: "blocked" })],
  ["status of no row", () => ({ status: "partial" })],
  ["status code 5xx", () => ({ statusCode: "5xx" })],
  ["status code of no row", () => ({ statusCode: "418" })],
  ["a large and a small resource", (round) => ({ resourceId: seededId(round % 2 ? 0 : 39) })],
  ["a resource of no row", () => ({ resourceId: seededId(77) })],
  ["a connection", (round) => ({ connectionId: seededId(round) })],
  ["a provider of no row", () => ({ provider: "none" })],
  ["an endpoint of no row", () => ({ endpoint: "RESPONSES" })],
  ["a type of no row", () => ({ type: "EMBEDDING" })],
  ["a key", (round) => ({ apiKeyId: seededId(10 * round) })],
  ["a user", (round) => ({ userId: seededId(round) })],
  ["models, wildcard", (round) => ({ model: `model-${round % 3}*` })],
  ["seldom used model", () => ({ model: "seldom-used-model" })],
  ["seldom used models, wildcard", () => ({ model: "*dom-us*" })],
  ["models, wildcard of no row", () => ({ model: "no-such*" })],
  ["metadata, frequent value", () => ({ metadata: { team: "team-0" } })],
  ["metadata, one in 20,000", (round) => ({ metadata: { user: `user-${900 * round}` } })],
  [
    "metadata, two keys",
    (round) => ({ metadata: { team: "team-3", feature: `feature-${round}` } }),
  ],
  ["metadata of no row", () => ({ metadata: { team: "none" } })],
  ["label, frequent", () => ({ label: "production" })],
  ["label, one in 2,000", () => ({ label: "rare" })],
  ["label of no row", () => ({ label: "none" })],
  ["correlation id", (round) => ({ correlationId: `order-${round * 1_000}` })],
  ["at least 1 s", () => ({ minDurationMs: 1_000 })],
  ["at least 30 s, one in 100,000", () => ({ minDurationMs: 30_000 })],
  ["longer than any", () => ({ minDurationMs: 1e9 })],
  ["warnings", () => ({ warnings: true })],
  ["fallback", () => ({ fallback: true })],
  ["fallback and error", () => ({ fallback: true, status: "error" })],
  ["failure reason of no row", () => ({ failureReason: "none" })],
];

test("first pages of the audit, filtered or not, take less than 200 ms", async () => {
  const slow: string[] = [];
  const check = (name: string, p95: number) => {
    if (p95 >= 200) slow.push(`${name}: ${Math.round(p95)} ms`);
  };
  for (const [name, filter] of filters) {
    check(name, await timed(name, (round) => list({ ...month, ...filter(round) } as AuditFilter)));
  }
  const some = await list(month);
  check(
    "request id",
    await timed("request id", async (round) => {
      const { requestId } = some[round]!;
      expect(await list({ requestId, metadata: {} })).toHaveLength(1);
      expect(await readAudit(database.statements, scope, requestId)).toBeDefined();
    }),
  );
  let after = some.at(-1)!;
  check(
    "further pages",
    await timed("further pages", async () => {
      const page = await listAudit(database.statements, scope, month, {
        limit: 51,
        after: { timestamp: new Date(after.timestamp), requestId: after.requestId },
        now,
      });
      after = page.at(-1)!;
    }),
  );
  check(
    "metadata keys",
    await timed("metadata keys", () => metadataKeys(database.statements, scope, now)),
  );
  check(
    "metadata values",
    await timed("metadata values", () => metadataValues(database.statements, scope, "user", now)),
  );
  expect(slow).toEqual([]);
}, 1_800_000);

test("dropping partitions keeps no insert waiting for 100 ms", async () => {
  const { statements } = database;
  const partitions = createPartitions(statements, recordTables, silentLog);
  const insert = createInsert(statements, partitions, [], () => {});
  const one = async () => {
    const record = sampleRecord(Date.now());
    const startedAt = performance.now();
    await insert([{ requestId: record.requestId, row: Buffer.from(recordText(record)) }]);
    return performance.now() - startedAt;
  };
  const alone: number[] = [];
  for (let round = 0; round < 200; round++) alone.push(await one());
  let dropping = true;
  const during: number[] = [];
  const inserting = (async () => {
    while (dropping) {
      during.push(await one());
      await delay(1);
    }
  })();
  const dropped = await partitions.dropExpired(now + (90 - days + 5) * dayMs);
  dropping = false;
  await inserting;
  console.log(
    `${dropped.length} partitions dropped; longest of ${during.length} inserts ` +
      `${Math.max(...during).toFixed(0)} ms, of ${alone.length} alone ${
        Math.max(...alone).toFixed(0)
      } ms`,
  );
  expect(dropped.length).toBeGreaterThan(2);
  expect(Math.max(...during)).toBeLessThan(100);
}, 120_000);

test("requests are answered as fast while an export runs", async () => {
  const call = async () => {
    const times: number[] = [];
    for (let round = 0; round < 250; round++) {
      const startedAt = performance.now();
      const response = await world.post("/chat/completions", {
        model: "demo",
        messages: [{ role: "user", content: "one two three" }],
      });
      await response.text();
      times.push(performance.now() - startedAt);
      await delay(5);
    }
    times.sort((one, other) => one - other);
    return [0.5, 0.95, 0.99].map((share) => times[Math.floor(share * times.length)]!);
  };
  await call();
  const without = await call();
  const ending = new AbortController();
  let bytes = 0;
  const exporting = (async () => {
    while (!ending.signal.aborted) {
      const texts = exportAudit(
        "ndjson",
        undefined,
        (limit, after) => listAudit(database.statements, scope, month, { limit, after, now }),
        ending.signal,
      );
      for await (const text of texts) bytes += text.length;
    }
  })();
  const meanwhile = await call();
  ending.abort();
  await exporting;
  const print = (times: readonly number[]) => times.map((time) => time.toFixed(1)).join(" / ");
  console.log(
    `answer p50 / p95 / p99: ${print(without)} ms, during an export of ${bytes >> 20} MiB ${
      print(meanwhile)
    } ms`,
  );
  expect(bytes).toBeGreaterThan(0);
  expect(meanwhile[0]!).toBeLessThan(without[0]! + 10);
  expect(meanwhile[1]!).toBeLessThan(without[1]! + 20);
}, 120_000);
