import { afterAll, beforeAll, expect, test } from "vitest";
import type { UsageQuery } from "@vmx/schemas";
import type { Database } from "../../store/database.ts";
import { silentLog, startTestDatabase, type TestDatabase } from "../../store/testing.ts";
import { createPartitions } from "../partitions.ts";
import { queryDatabase } from "./query/query-database.ts";
import { readQuestion } from "./query/read-question.ts";
import { type Rollups, rollupTables, startRollups } from "./rollups.ts";

const points = 1_000_000;
const days = 30;
const dayMs = 86_400_000;
const start = Math.floor(Date.now() / dayMs - days) * dayMs;
const place = {
  workspaceId: "11111111-1111-4111-8111-111111111111",
  environmentId: "22222222-2222-4222-8222-222222222222",
};

let testDatabase: TestDatabase;
let database: Database;
let rollups: Rollups;

beforeAll(async () => {
  testDatabase = await startTestDatabase();
  database = await testDatabase.open();
  const { statements } = database;
  const partitions = createPartitions(
    statements,
    { audit: ["usage_points"], usage: rollupTables },
    silentLog,
  );
  for (let day = 0; day < days; day++) {
    const at = start + day * dayMs;
    await partitions.ensure([
      { kind: "audit", retentionClass: 90, at },
      { kind: "usage", retentionClass: 400, at },
    ]);
    await statements.write(
      `insert into ${statements.schema}.usage_points (timestamp, request_id, leg_index, audit_class,
         usage_class, workspace_id, environment_id, resource_id, connection_id, provider, model,
         api_key_labels, endpoint, type, status_code, metadata, prompt_tokens, completion_tokens,
         total_tokens, request_count, leg_count, success_count, error_count, request_duration,
         provider_duration, total_cost)
       select $1::timestamptz + i * interval '1 day' / $2, gen_random_uuid(), 0, 90, 400, $3, $4,
         'r' || i % 5, 'c' || i % 3, 'p', 'm' || i % 4, '{}', 'CHAT_COMPLETIONS', 'COMPLETION',
         case when i % 20 = 0 then 503 else 200 end, '{}', i % 4000, i % 900, i % 4000 + i % 900, 1, 1,
         1, 0, random() * 3000, random() * 2900, (i % 4000) * 3000
       from generate_series(0, $2 - 1) as i`,
      [new Date(at), Math.floor(points / days), place.workspaceId, place.environmentId],
    );
  }
  await statements.write(
    `insert into ${statements.schema}.usage_touched (minute)
     select minute from generate_series($1::timestamptz, $2::timestamptz, '1 minute') as minute`,
    [new Date(start), new Date(start + days * dayMs - 1)],
  );
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  rollups = startRollups(statements, () => Promise.reject(new Error("not used")), clock, silentLog);
  const startedAt = performance.now();
  const minutes = await rollups.run();
  // A minute of traffic is rolled up once a minute; this is what catching up costs.
  console.log(`${minutes} minutes rolled up in ${Math.round(performance.now() - startedAt)} ms`);
}, 1_800_000);
afterAll(async () => {
  await rollups.stop();
  await testDatabase.stop();
});

test.each<[string, number, Partial<UsageQuery>]>([
  ["30 days by day and model, with percentiles", 1_000, {
    granularity: "day",
    timeZone: "Europe/Berlin",
    dimensions: ["model"],
    agg: { totalTokens: "sum", totalCost: "sum", requestDuration: "p95" },
  }],
  ["30 days by hour", 1_000, { granularity: "hour", agg: { totalTokens: "sum" } }],
  ["one total by status and resource", 1_000, { dimensions: ["statusCode", "resourceId"] }],
])("a million points answer within a second: %s", async (name, mostMs, query) => {
  const { question } = readQuestion({
    filter: {
      dateRange: {
        start: new Date(start + 17_000).toISOString(),
        end: new Date(start + days * dayMs).toISOString(),
      },
    },
    agg: { totalTokens: "sum", requestCount: "sum" },
    dimensions: [],
    ...query,
  }, place);
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now();
    const groups = await queryDatabase(database.statements, question, {
      oldestPoint: 0,
      oldestRollup: 0,
    });
    times.push(performance.now() - startedAt);
    expect(groups.length).toBeGreaterThan(0);
  }
  times.sort((a, b) => a - b);
  console.log(`${name}: median ${Math.round(times[2]!)} ms, most ${Math.round(times[4]!)} ms`);
  expect(times[2]).toBeLessThan(mostMs);
});
