import { afterAll, beforeAll, expect, test } from "vitest";
import { startRollups } from "../records/usage/rollups.ts";
import { createInsertRecords, sampleLeg, sampleTokens } from "../records/usage/testing.ts";
import { sampleRecord } from "../records/testing.ts";
import type { AuditRecord } from "../records/record.ts";
import { silentLog } from "../store/testing.ts";
import { startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let insert: (records: readonly AuditRecord[]) => Promise<void>;
let place: Pick<AuditRecord, "workspaceId" | "environmentId">;
let path: string;
const minute = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
const dateRange = {
  start: new Date(minute).toISOString(),
  end: new Date(minute + 180_000).toISOString(),
};

beforeAll(async () => {
  plane = await startTestManagement();
  insert = createInsertRecords(plane.database.statements);
  const { workspaceId, environmentId } = plane.firstRun;
  place = { workspaceId, environmentId };
  path = `${plane.environmentPath}/usage`;
  await insert([
    request(0, "=gpt", 1_000, 200, { metadata: { team: "x" } }),
    request(60_000, "=gpt", 3_000, 0),
    request(120_000, "other", 5_000, 1),
    { ...request(0, "=gpt", 9_999, 9), environmentId: place.workspaceId },
  ]);
});
afterAll(() => plane.stop());

function request(
  afterMs: number,
  model: string,
  input: number,
  output: number,
  members: Partial<AuditRecord> = {},
): AuditRecord {
  const tokens = sampleTokens(input, output);
  return sampleRecord(minute + afterMs, {
    ...place,
    provider: "p",
    model,
    legs: [sampleLeg({ provider: "p", model, tokens })],
    tokens,
    connectionId: sampleLeg().connectionId,
    ...members,
  });
}

const query = (members: Record<string, unknown>) => ({
  filter: { dateRange },
  agg: { totalTokens: "sum" },
  dimensions: [],
  ...members,
});

test("usage is answered by model and minute, with names, and never of another environment", async () => {
  const byModel = await plane.call("POST", `${path}/query`, query({ dimensions: ["model"] }));
  expect(byModel.status, byModel.text).toBe(200);
  expect(byModel.body).toEqual({
    data: [{ model: "=gpt", totalTokens: 4_200 }, { model: "other", totalTokens: 5_001 }],
    truncated: false,
    sink: "database",
  });
  const named = await plane.call(
    "POST",
    `${path}/query`,
    query({ dimensions: ["environmentId", "connectionId"], limit: 1 }),
  );
  const [row] = named.body.data;
  expect(row.environmentId).toEqual({
    value: place.environmentId,
    label: "default",
    displayName: "default",
  });
  const { connectionId } = sampleLeg();
  expect(row.connectionId.displayName).toBe(`${connectionId} (deleted)`);
});

test("order, limit, metadata and the preceding range", async () => {
  const { body } = await plane.call(
    "POST",
    `${path}/query`,
    query({ dimensions: ["model"], orderBy: { totalTokens: "desc" }, limit: 1 }),
  );
  expect(body).toMatchObject({ data: [{ model: "other" }], truncated: true });
  const byTeam = await plane.call(
    "POST",
    `${path}/query`,
    query({ metadataDimensions: ["metadata.team"] }),
  );
  expect(byTeam.body.data).toEqual([
    { "metadata.team": "x", totalTokens: 1_200 },
    { "metadata.team": null, totalTokens: 8_001 },
  ]);
  const later = {
    start: new Date(minute + 60_000).toISOString(),
    end: new Date(minute + 120_000).toISOString(),
  };
  const compared = await plane.call(
    "POST",
    `${path}/query`,
    query({ filter: { dateRange: later }, compare: "previous" }),
  );
  expect(compared.body).toMatchObject({
    data: [{ totalTokens: 3_000 }],
    previous: { data: [{ totalTokens: 1_200 }], truncated: false },
  });
});

test.each([
  [{ agg: { tokens: "sum" } }, "/agg/tokens"],
  [{ agg: { totalTokens: "median" } }, "/agg/totalTokens"],
  [{ dimensions: ["workspace"] }, "/dimensions/0"],
  [{ dimensions: ["model", "provider", "type", "endpoint", "userId"] }, "/dimensions"],
  [{ metadataDimensions: ["metadata.a b"] }, "/metadataDimensions/0"],
  [{ granularity: "decade" }, "/granularity"],
  [{
    granularity: "second",
    filter: { dateRange: { start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z" } },
  }, "/granularity"],
  [{ timeZone: "Mars/Olympus" }, "/timeZone"],
  [{ orderBy: { totalCost: "asc" } }, "/orderBy/totalCost"],
  [{ orderBy: { time: "asc" } }, "/orderBy/time"],
  [{ limit: 10_001 }, "/limit"],
  [{ filter: { dateRange: { ...dateRange, end: dateRange.start } } }, "/filter/dateRange/end"],
  [
    { filter: { dateRange, fields: { nothing: { operator: "eq", value: 1 } } } },
    "/filter/fields/nothing",
  ],
  [
    { filter: { dateRange, fields: { model: { operator: "in", value: "x" } } } },
    "/filter/fields/model/value",
  ],
  [
    { filter: { dateRange, fields: { statusCode: { operator: "gt", value: "many" } } } },
    "/filter/fields/statusCode/value",
  ],
])("a query that cannot be answered names the field: %j", async (members, field) => {
  const { status, body } = await plane.call("POST", `${path}/query`, query(members));
  expect(status).toBe(400);
  expect(body.code).toBe("USAGE_QUERY_INVALID");
  expect(body.errors.map(({ path }: { path: string }) => path)).toContain(field);
});

test("an export has units in its header and no cell a spreadsheet would run", async () => {
  const answer = await plane.call(
    "POST",
    `${path}/export`,
    query({
      dimensions: ["model", "environmentId"],
      agg: { totalTokens: "sum", requestDuration: "p95" },
    }),
  );
  expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(answer.text.split("\r\n")).toEqual([
    "model,environmentId,environmentId name,totalTokens sum (tokens),requestDuration p95 (ms)",
    `'=gpt,${place.environmentId},default,4200,12`,
    `other,${place.environmentId},default,5001,12`,
    "",
  ]);
});

test("a corrected price list is previewed, re-rates a period, and usage follows", async () => {
  const entries = [
    {
      provider: "p",
      model: "*",
      pricePerMillion: { inputUncached: 3_000_000, output: 15_000_000 },
    },
  ];
  const list = "/api/v1/price-lists";
  const preview = await plane.call("POST", `${list}/preview`, { entries, days: 1 });
  expect(preview.body).toMatchObject({ dryRun: true, requests: 4, before: 0 });
  const created = await plane.call("POST", list, {
    csv: "provider,model,inputUncached,output\r\np,*,3000000,15000000\r\n",
  });
  expect(created.status, created.text).toBe(201);
  expect(created.body).toMatchObject({ version: 1, source: "USER", currency: "USD", entries });
  const { priceListId } = created.body;

  const period = { from: dateRange.start, to: dateRange.end, environmentId: place.environmentId };
  const dry = await plane.call("POST", `${list}/${priceListId}/re-rate`, {
    ...period,
    dryRun: true,
  });
  // (1000 + 3000 + 5000) x 3000 and (200 + 0 + 1) x 15000 nano-units.
  expect(dry.body).toMatchObject({ requests: 3, before: 0, after: 30_015_000, dryRun: true });
  expect(dry.body.models).toContainEqual({
    provider: "p",
    model: "other",
    requests: 1,
    before: 0,
    after: 15_015_000,
    difference: 15_015_000,
    unpriced: 0,
  });
  const cost = async () => {
    const { body } = await plane.call(
      "POST",
      `${path}/query`,
      query({ agg: { totalCost: "sum" } }),
    );
    return body.data[0].totalCost;
  };
  expect(await cost()).toBe(0);
  const rated = await plane.call("POST", `${list}/${priceListId}/re-rate`, period);
  expect(rated.body).toMatchObject({ after: 30_015_000, dryRun: false });
  expect(await cost()).toBe(30_015_000);

  const second = await plane.call("POST", list, {
    entries: [{ provider: "p", model: "other", pricePerMillion: { inputUncached: 0, output: 0 } }],
  });
  expect(second.body.version).toBe(2);
  await plane.call("POST", `${list}/${second.body.priceListId}/re-rate`, period);
  const unused = () => Promise.reject(new Error("not used"));
  const rollups = startRollups(plane.database.statements, unused, plane.clock, silentLog);
  await rollups.run();
  await rollups.stop();
  expect(await cost()).toBe(15_000_000);
  const { schema, read } = plane.database.statements;
  const rows = await read<{ cost: { total: number } | null; originalCost: unknown; ratedAt: Date }>(
    `select cost, original_cost as "originalCost", rated_at as "ratedAt" from ${schema}.audit
     where environment_id = $1 order by timestamp`,
    [place.environmentId],
  );
  expect(rows.map((row) => row.cost?.total)).toEqual([6_000_000, 9_000_000, 0]);
  expect(rows.every((row) => row.originalCost === null && row.ratedAt !== null)).toBe(true);

  const { body: lists } = await plane.call("GET", list);
  expect(
    lists.data.map(({ source, version }: { source: string; version: number }) => [source, version]),
  )
    .toEqual([["USER", 2], ["USER", 1], ["SYSTEM", plane.pricing.system.version]]);
  expect((await plane.call("GET", `${list}/${priceListId}`)).body.entries).toEqual(entries);
  const missing = await plane.call("GET", `${list}/${place.environmentId}`);
  expect(missing.body.code).toBe("PRICE_LIST_NOT_FOUND");
  const activity = await plane.call("GET", "/api/v1/activity?entityType=price-list");
  expect(activity.body.data.map(({ action }: { action: string }) => action)).toContain(
    "price-list:re-rate",
  );
});

test("a price list with a broken row is refused, whichever way it comes", async () => {
  const list = "/api/v1/price-lists";
  for (
    const [body, at] of [
      [{}, "/entries"],
      [{ entries: [], csv: "x" }, "/entries"],
      [{
        entries: [{
          provider: "p",
          model: "m",
          pricePerMillion: { inputUncached: 1.5, output: 1 },
        }],
      }, "/entries/0/pricePerMillion/inputUncached"],
      [{ csv: "provider,model,inputUncached,output\np,m,x,1" }, "/csv"],
      [{ csv: "provider,model,inputUncached,output\np,a b,1,1" }, "/0/model"],
      [{ entries: [], currency: "dollars" }, "/currency"],
    ] as const
  ) {
    const answer = await plane.call("POST", list, body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].path, answer.text).toBe(at);
  }
});
