import { afterAll, beforeAll, expect, test } from "vitest";
import type { UsageQuery } from "@vmx/schemas";
import type { SharedState } from "../../contract/index.ts";
import type { Database } from "../../store/database.ts";
import { silentLog, startTestDatabase, type TestDatabase } from "../../store/testing.ts";
import type { AuditRecord } from "../record.ts";
import type { Measure } from "./measures.ts";
import { pointsOf, type UsagePoint } from "./points.ts";
import { answerQuestion, type UsageRow } from "./query/answer-question.ts";
import { bucketName, bucketStarts, createZone } from "./query/calendar.ts";
import { queryDatabase } from "./query/query-database.ts";
import { readQuestion } from "./query/read-question.ts";
import { type Rollups, startRollups } from "./rollups.ts";
import { createInsertRecords, createRandom, randomRecord } from "./testing.ts";

let testDatabase: TestDatabase;
let database: Database;
let rollups: Rollups;
let insert: (records: readonly AuditRecord[]) => Promise<void>;

const place = {
  workspaceId: "11111111-1111-4111-8111-111111111111",
  environmentId: "22222222-2222-4222-8222-222222222222",
};
const now = Date.UTC(2026, 2, 31, 12);
const everything = { oldestPoint: 0, oldestRollup: 0 };
const random = createRandom(7);
const records: AuditRecord[] = [];

beforeAll(async () => {
  testDatabase = await startTestDatabase();
  database = await testDatabase.open();
  const { statements } = database;
  insert = createInsertRecords(statements);
  const clock = { now: () => now, monotonic: () => 0 };
  const unused = () => Promise.reject<SharedState>(new Error("not used"));
  rollups = startRollups(statements, unused, clock, silentLog);
  // Three days around the last Sunday of March, when Berlin skips an hour.
  for (let index = 0; index < 400; index++) {
    const at = Date.UTC(2026, 2, 28) + Math.floor(random() * 3 * 86_400_000);
    records.push(randomRecord(at, random));
  }
  await insert(records.slice(0, 200));
  await rollups.run();
  // Late rows touch minutes that are rolled up, and new ones.
  await insert(records.slice(200, 300));
  await rollups.run();
});
afterAll(async () => {
  await rollups.stop();
  await testDatabase.stop();
});

const range = { start: "2026-03-28T05:30:10Z", end: "2026-03-30T21:13:00Z" };

async function ask(query: Partial<UsageQuery>): Promise<UsageRow[]> {
  const asked = readQuestion(
    {
      filter: { dateRange: range },
      agg: { totalTokens: "sum" },
      dimensions: [],
      limit: 10_000,
      ...query,
    },
    place,
  );
  const groups = await queryDatabase(database.statements, asked.question, everything);
  return answerQuestion(asked, groups, () => "name").data;
}

/** The answer by the definition, from the records themselves. */
function naive(
  given: readonly AuditRecord[],
  query: Partial<UsageQuery>,
): Map<string, (number | null)[]> {
  const zone = createZone(query.timeZone ?? "UTC")!;
  const dateRange = query.filter?.dateRange ?? range;
  const groups = new Map<string, UsagePoint[]>();
  for (const point of given.flatMap(pointsOf)) {
    const at = Date.parse(point.timestamp);
    if (at < Date.parse(dateRange.start) || at >= Date.parse(dateRange.end)) continue;
    const time = query.granularity
      ? bucketName(
        bucketStarts(at, at + 1, query.granularity, zone, 1)![0]!,
        query.granularity,
        zone,
      )
      : "";
    const names = [...query.dimensions ?? [], ...query.metadataDimensions ?? []];
    let keys: unknown[][] = [[]];
    for (const name of names) {
      const values = name === "apiKeyLabel"
        ? point.apiKeyLabels.length > 0 ? point.apiKeyLabels : [null]
        : name.startsWith("metadata.")
        ? [point.metadata[name.slice(9)] ?? null]
        : [point.dimensions[name as "model"]];
      keys = keys.flatMap((key) => values.map((value) => [...key, value]));
    }
    for (const key of keys) {
      const text = JSON.stringify([time, ...key.map((one) => one === null ? null : String(one))]);
      groups.set(text, [...groups.get(text) ?? [], point]);
    }
  }
  return new Map([...groups].map(([key, points]) => [
    key,
    Object.entries(query.agg!).map(([measure, name]) => aggregate(points, measure, name)),
  ]));
}

function aggregate(points: readonly UsagePoint[], measure: string, name: string): number | null {
  const values = points
    .map(({ measures }) => measures[measure as Measure])
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  const sum = values.reduce((total, value) => total + value, 0);
  if (name === "sum") return sum;
  if (values.length === 0) return null;
  if (name === "avg") return sum / values.length;
  if (name === "min") return values[0]!;
  if (name === "max") return values.at(-1)!;
  return values[Math.max(1, Math.ceil(values.length * Number(name.slice(1)) / 100)) - 1]!;
}

async function expectNaive(given: readonly AuditRecord[], query: Partial<UsageQuery>) {
  const names = [...query.dimensions ?? [], ...query.metadataDimensions ?? []];
  const expected = naive(given, query);
  const answered = await ask(query);
  const seen = new Set<string>();
  for (const row of answered) {
    const key = JSON.stringify([
      row["time"] ?? "",
      ...names.map((name) => {
        const value = row[name];
        return typeof value === "object" && value !== null ? value.value : value;
      }),
    ]);
    const values = Object.keys(query.agg!).map((measure) => row[measure] as number | null);
    const wanted = expected.get(key) ??
      Object.values(query.agg!).map((n) => n === "sum" ? 0 : null);
    seen.add(key);
    for (const [index, name] of Object.values(query.agg!).entries()) {
      const [got, want] = [values[index]!, wanted[index]!];
      const says = `${key} ${
        Object.keys(query.agg!)[index]
      } ${name}: ${got}, by definition ${want}`;
      if (want === null || got === null) expect(got, says).toBe(want);
      // Percentiles come from sketches; sums of durations are those of doubles.
      else {expect(Math.abs(got - want), says).toBeLessThanOrEqual(
          name.startsWith("p") ? Math.abs(want) * 0.01 : Math.abs(want) * 1e-9,
        );}
    }
  }
  for (const key of expected.keys()) expect(seen).toContain(key);
}

const agg = {
  requestCount: "sum",
  legCount: "sum",
  errorCount: "avg",
  totalTokens: "sum",
  completionTokens: "avg",
  promptTokens: "p95",
  totalCost: "sum",
  requestDuration: "p50",
  providerDuration: "p99",
  timeToFirstToken: "min",
  tokensPerSecond: "max",
} as const;

test.each<[string, Partial<UsageQuery>]>([
  ["one total over days, hours, minutes and loose ends", {}],
  ["hours", { granularity: "hour" }],
  ["days of a calendar that skips an hour", { granularity: "day", timeZone: "Europe/Berlin" }],
  ["hours of a zone off by 45 minutes", { granularity: "hour", timeZone: "Asia/Kathmandu" }],
  ["weeks by model", { granularity: "week", dimensions: ["model"] }],
  ["labels, of which a key has several", { dimensions: ["apiKeyLabel", "statusCode"] }],
  ["metadata", { metadataDimensions: ["metadata.team"], dimensions: ["resourceId"] }],
])("rollups and points answer as the definition does: %s", async (_name, query) => {
  await expectNaive(records.slice(0, 300), { agg, dimensions: [], ...query });
});

test("minutes the rollups do not have yet are in the answer all the same", async () => {
  const more = records.slice(300, 350);
  await insert(more);
  await expectNaive(records.slice(0, 350), { agg, dimensions: ["model"], granularity: "day" });
  // The same batch again, as after a failure nobody saw the end of.
  await insert(more);
  await expectNaive(records.slice(0, 350), { agg, dimensions: [] });
  await rollups.run();
  await expectNaive(records.slice(0, 350), { agg, dimensions: ["model"], granularity: "day" });
});

test("conditions on dimensions, measures, labels and metadata choose the points", async () => {
  const given = records.slice(0, 350).flatMap(pointsOf).filter(({ timestamp }) =>
    timestamp >= range.start.replace("Z", ".000Z") && timestamp < range.end.replace("Z", ".000Z")
  );
  const total = async (fields: NonNullable<UsageQuery["filter"]["fields"]>) =>
    (await ask({ filter: { dateRange: range, fields }, agg: { legCount: "sum" } }))[0]!["legCount"];
  const legs = (chosen: (point: UsagePoint) => boolean) =>
    given.filter((point) => point.measures.legCount === 1 && chosen(point)).length;
  const { statusCode, model, resourceId } = {
    statusCode: (point: UsagePoint) => point.dimensions.statusCode,
    model: (point: UsagePoint) => point.dimensions.model,
    resourceId: (point: UsagePoint) => point.dimensions.resourceId,
  };
  expect(await total({ statusCode: { operator: "gte", value: 500 } }))
    .toBe(legs((point) => Number(statusCode(point)) >= 500));
  expect(await total({ model: { operator: "in", value: ["small"] } }))
    .toBe(legs((point) => model(point) === "small"));
  expect(await total({ model: { operator: "in", value: [] } })).toBe(legs(() => true));
  expect(await total({ resourceId: { operator: "nin", value: ["r1"] } }))
    .toBe(legs((point) => resourceId(point) !== "r1"));
  expect(await total({ resourceId: { operator: "eq", value: null } }))
    .toBe(legs((point) => resourceId(point) === null));
  expect(await total({ resourceId: { operator: "is_not", value: null } }))
    .toBe(legs((point) => resourceId(point) !== null));
  expect(await total({ apiKeyLabel: { operator: "eq", value: "b" } }))
    .toBe(legs((point) => point.apiKeyLabels.includes("b")));
  expect(await total({ apiKeyLabel: { operator: "neq", value: "b" } }))
    .toBe(legs((point) => !point.apiKeyLabels.includes("b")));
  expect(await total({ "metadata.team": { operator: "neq", value: "x" } }))
    .toBe(legs((point) => point.metadata["team"] !== "x"));
  expect(await total({ totalTokens: { operator: "gt", value: 2_500 } }))
    .toBe(legs((point) => (point.measures.totalTokens ?? 0) > 2_500));
  expect(await total({ model: { operator: "eq", value: "'; drop table vmx.audit; --" } })).toBe(0);
});

test("every bucket appears, sums as 0 and the rest as null; a day without an hour has 23", async () => {
  const dateRange = { start: "2026-03-28T23:00:00Z", end: "2026-03-29T22:00:00Z" };
  const rows = await ask({
    filter: { dateRange, fields: { model: { operator: "eq", value: "none" } } },
    agg: { totalTokens: "sum", requestDuration: "p95" },
    granularity: "hour",
    timeZone: "Europe/Berlin",
  });
  expect(rows).toHaveLength(23);
  expect(rows[1]).toEqual({ time: "2026-03-29 01:00:00", totalTokens: 0, requestDuration: null });
  expect(rows[2]!["time"]).toBe("2026-03-29 03:00:00");
});
