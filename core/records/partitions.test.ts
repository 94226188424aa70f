import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog, startTestDatabase, type TestDatabase } from "../store/testing.ts";
import type { Statements } from "../store/statements.ts";
import { createInsert } from "./insert.ts";
import { createPartitions, type Partitions } from "./partitions.ts";
import { recordText } from "./record-text.ts";
import { sampleRecord } from "./testing.ts";
import type { AuditRecord } from "./record.ts";

const dayMs = 86_400_000;
let server: TestDatabase;
let statements: Statements;
const tables = { audit: ["audit", "audit_payloads"], usage: [] };
const open = (): Partitions => createPartitions(statements, tables, silentLog);

beforeAll(async () => {
  server = await startTestDatabase();
  ({ statements } = await server.open());
});
afterAll(() => server.stop());

const insert = (...records: AuditRecord[]) =>
  createInsert(statements, open(), [], () => {})(
    records.map((record) => ({
      requestId: record.requestId,
      row: Buffer.from(recordText(record)),
    })),
  );
const count = async () => {
  const [row] = await statements.read<{ count: string }>("select count(*) from vmx.audit");
  return Number(row!.count);
};

test("several processes may make the same partitions at once", async () => {
  const days = [0, 1, 2].map((day) => ({
    kind: "audit" as const,
    retentionClass: 90,
    at: Date.now() + day * dayMs,
  }));
  await Promise.all([open(), open(), open()].map((partitions) => partitions.ensure(days)));
  const found = await statements.read(
    "select relname from pg_class where relname ~ '^audit_90_[0-9]{8}$'",
  );
  expect(found).toHaveLength(3);
});

test("a batch that comes twice, and one record the database refuses, do no harm", async () => {
  const before = await count();
  const good = sampleRecord(Date.now());
  const bad = sampleRecord(Date.now(), { workspaceId: "not a uuid" });
  const other = sampleRecord(Date.now());
  const refused: string[] = [];
  const run = createInsert(statements, open(), [], (requestId) => refused.push(requestId));
  const batch = [good, bad, other].map((record) => ({
    requestId: record.requestId,
    row: Buffer.from(recordText(record)),
  }));
  expect(await run(batch)).toBe(1);
  await run(batch);
  expect(await count()).toBe(before + 2);
  expect(refused).toEqual([bad.requestId, bad.requestId]);
});

test("partitions are dropped when the last of their rows is too old, and inserts hardly wait", async () => {
  const now = Date.now();
  await insert(
    sampleRecord(now - 10 * dayMs, { auditClass: 1 }),
    sampleRecord(now - 10 * dayMs, { auditClass: 7 }),
    sampleRecord(now - 10 * dayMs, { auditClass: 30 }),
    sampleRecord(now, { auditClass: 1 }),
  );
  let dropping = true;
  let longestMs = 0;
  const inserting = (async () => {
    while (dropping) {
      const startedAt = performance.now();
      await insert(sampleRecord(now, { auditClass: 1 }));
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      await delay(1);
    }
  })();
  const dropped = await open().dropExpired(now);
  dropping = false;
  await inserting;
  const day = new Date(now - 10 * dayMs).toISOString().slice(0, 10).replaceAll("-", "");
  expect(dropped).toEqual(
    ["audit_1", "audit_7", "audit_payloads_1", "audit_payloads_7"].map((name) => `${name}_${day}`),
  );
  expect(longestMs).toBeLessThan(1_000);
  expect(await open().dropExpired(now)).toEqual([]);
});

test("a lookup by id touches one partition of each class", async () => {
  const record = sampleRecord(Date.now());
  await insert(record, sampleRecord(Date.now() - dayMs), sampleRecord(Date.now() - 2 * dayMs));
  const plan = await statements.read<Record<string, string>>(
    `explain select * from vmx.audit where timestamp = '${record.timestamp}' ` +
      `and request_id = '${record.requestId}'`,
  );
  const scanned = plan.flatMap((line) => /on (audit_90_\d+)/.exec(line["QUERY PLAN"]!)?.[1] ?? []);
  expect(new Set(scanned).size).toBe(1);
});
