import { get } from "node:http";
import { gunzipSync } from "node:zlib";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuditRow } from "@vmx/schemas";
import { createInsert } from "../records/insert.ts";
import { createPartitions } from "../records/partitions.ts";
import { encodePayload } from "../records/payload/encoding.ts";
import type { AuditRecord } from "../records/record.ts";
import { recordText } from "../records/record-text.ts";
import { sampleRecord } from "../records/testing.ts";
import { silentLog } from "../store/testing.ts";
import { adminToken, startTestManagement, type TestManagement } from "./testing.ts";

let world: TestManagement;
let base: string;
const minute = 60_000;
const start = Date.now() - 60 * minute;
const records: AuditRecord[] = [];

beforeAll(async () => {
  world = await startTestManagement();
  base = `${world.environmentPath}/audit`;
  const { workspaceId, environmentId } = world.firstRun;
  const leg = (kind: "primary" | "fallback") =>
    ({
      kind,
      gate: { durationMs: 1, result: "admitted", meters: [{ level: "resource" }] },
    }) as unknown as AuditRecord["legs"][number];
  const add = (index: number, record: Partial<AuditRecord>) =>
    records.push(sampleRecord(start + index * minute, { workspaceId, environmentId, ...record }));
  add(0, { model: "gpt-5", legs: [leg("primary")], metadata: { team: "red", "a.b": "1" } });
  add(1, { model: "gpt-5-mini", status: "error", statusCode: 429, errorCode: "rate_limited" });
  add(2, { status: "partial", warnings: [{ code: "x", path: "/", action: "dropped" }] });
  add(3, { legs: [leg("primary"), leg("fallback")], metadata: { team: "blue" } });
  add(4, { statusCode: 503, status: "error", totalDurationMs: 900, correlationId: "c-1" });
  add(5, { apiKeyName: "=HYPERLINK(1)", apiKeyLabels: ["gold"], userAgent: 'say "hi", twice' });
  add(6, { auditClass: 1, payloadCapture: "full", metadata: { team: "red" } });
  records.push(sampleRecord(start, { environmentId: crypto.randomUUID() }));
  const partitions = createPartitions(
    world.database.statements,
    { audit: ["audit", "audit_payloads"], usage: [] },
    silentLog,
  );
  const insert = createInsert(world.database.statements, partitions, [], () => {});
  const payload = {
    ...await encodePayload(JSON.stringify({ requestBody: { model: "m" } })),
    state: { requestBody: "stored" },
  };
  const shipments = records.map((record) => ({
    requestId: record.requestId,
    row: Buffer.from(recordText(record)),
    ...(record.payloadCapture === "full" ? { payload } : {}),
  }));
  await insert(shipments);
  await insert(shipments);
});

afterAll(() => world.stop());

const list = async (query = "") => {
  const { status, body } = await world.call("GET", `${base}?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as { data: AuditRow[]; nextCursor: string | null };
};
const positions = (rows: readonly AuditRow[]) =>
  rows.map(({ requestId }) => records.findIndex((record) => record.requestId === requestId));

test("requests are listed newest first, once each, page by page, across retention classes", async () => {
  expect(positions((await list()).data)).toEqual([6, 5, 4, 3, 2, 1, 0]);
  const first = await list("limit=3");
  const second = await list(`limit=3&cursor=${first.nextCursor}`);
  const third = await list(`limit=3&cursor=${second.nextCursor}`);
  expect([first, second, third].map(({ data }) => positions(data))).toEqual([
    [6, 5, 4],
    [3, 2, 1],
    [0],
  ]);
  expect(third.nextCursor).toBeNull();
  expect((await world.call("GET", `${base}?cursor=abc`)).body.code).toBe("INVALID_CURSOR");
});

test("lists show no trace, no payload and no meters", async () => {
  const { data } = await list(`requestId=${records[0]!.requestId}`);
  expect(data[0]).not.toHaveProperty("routing");
  expect(data[0]).not.toHaveProperty("requestBody");
  expect(data[0]!.legs[0]!.gate).toEqual({ durationMs: 1, result: "admitted" });
});

test.each([
  ["status=error", [4, 1]],
  ["statusCode=429", [1]],
  ["statusCode=5xx", [4]],
  ["model=gpt-5*", [1, 0]],
  ["model=gpt-5", [0]],
  ["model=gpt_5", []],
  ["warnings=true", [2]],
  ["fallback=true", [3]],
  ["minDurationMs=500", [4]],
  ["correlationId=c-1", [4]],
  ["label=gold", [5]],
  ["metadata.team=red", [6, 0]],
  ["metadata.a.b=1", [0]],
  ["metadata.team=red&model=gpt*", [0]],
  [`to=${new Date(start + 90_000).toISOString()}`, [1, 0]],
  [`from=${new Date(start + 330_000).toISOString()}`, [6]],
  ["provider=echo&type=COMPLETION&endpoint=RESPONSES", []],
])("the filter %s chooses its rows", async (query, expected) => {
  expect(positions((await list(query)).data)).toEqual(expected);
});

test.each(["statusCode=6xx", "status=nice", "minDurationMs=x", "metadata.a%20b=1", "colour=red"])(
  "the filter %s is refused",
  async (query) => {
    const { status, body } = await world.call("GET", `${base}?${query}`);
    expect([status, body.code]).toEqual([400, "VALIDATION_FAILED"]);
  },
);

test("one request is read with its trace, its meters and its payload", async () => {
  const { body } = await world.call("GET", `${base}/${records[6]!.requestId}`);
  expect(body).toMatchObject({ requestBody: { model: "m" }, routing: null });
  expect(body.payloadState).toMatchObject({ requestBody: "stored" });
  const first = await world.call("GET", `${base}/${records[0]!.requestId}`);
  expect(first.body.legs[0].gate.meters).toEqual([{ level: "resource" }]);
  expect(first.body.payloadState.requestBody).toBe("off by policy");
});

test("requests of other environments, and unknown ones, do not exist", async () => {
  for (const id of [records.at(-1)!.requestId, crypto.randomUUID(), "nonsense"]) {
    const { status, body } = await world.call("GET", `${base}/${id}`);
    expect([status, body.code]).toEqual([404, "AUDIT_ROW_NOT_FOUND"]);
  }
});

test("rows older than the setting are hidden although they are stored", async () => {
  const old = sampleRecord(Date.now() - 3 * 86_400_000, {
    workspaceId: world.firstRun.workspaceId,
    environmentId: world.firstRun.environmentId,
  });
  const { statements } = world.database;
  const partitions = createPartitions(statements, {
    audit: ["audit", "audit_payloads"],
    usage: [],
  }, silentLog);
  await createInsert(statements, partitions, [], () => {})([
    { requestId: old.requestId, row: Buffer.from(recordText(old)) },
  ]);
  const from = `from=${new Date(Date.now() - 10 * 86_400_000).toISOString()}`;
  const ids = async () => (await list(from)).data.map(({ requestId }) => requestId);
  expect(await ids()).toContain(old.requestId);
  await world.call("PATCH", world.environmentPath, { settings: { auditRetentionDays: 2 } });
  try {
    expect(await ids()).not.toContain(old.requestId);
    expect((await world.call("GET", `${base}/${old.requestId}`)).status).toBe(404);
  } finally {
    await world.call("PATCH", world.environmentPath, { settings: { auditRetentionDays: null } });
  }
});

test("keys and values of metadata are listed", async () => {
  expect((await world.call("GET", `${base}/metadata-keys`)).body.data).toEqual(["a.b", "team"]);
  expect((await world.call("GET", `${base}/metadata-values?key=team`)).body.data).toEqual([
    "red",
    "blue",
  ]);
});

test("a CSV has a line for each request, scalars only, and nothing a spreadsheet would run", async () => {
  const { text, headers } = await world.call("GET", `${base}/export?format=csv`);
  expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(headers.get("content-disposition")).toMatch(/^attachment; filename="audit-.*\.csv"$/);
  const lines = text.split("\r\n");
  expect(lines).toHaveLength(9);
  expect(lines[0]).toContain("requestId,timestamp,");
  expect(lines[0]).toContain("tokens.promptTokens,");
  expect(lines[0]).not.toContain("legs");
  expect(text).toContain(",'=HYPERLINK(1),");
  expect(text).toContain(',"say ""hi"", twice",');
});

test("an export writes chosen members, packed when the reader likes, and is in the activity trail", async () => {
  const path = `${base}/export?format=ndjson&fields=requestId,legs&status=error`;
  const response = await fetch(world.url + path, {
    headers: { authorization: adminAuthorization, "accept-encoding": "identity" },
  });
  const lines = (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  expect(lines).toEqual(
    [4, 1].map((index) => ({ requestId: records[index]!.requestId, legs: [] })),
  );
  const packed = await new Promise<Buffer>((resolve, reject) => {
    const headers = { authorization: adminAuthorization, "accept-encoding": "gzip" };
    get(world.url + path, { headers }, (answer) => {
      expect(answer.headers["content-encoding"]).toBe("gzip");
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks)));
    }).on("error", reject);
  });
  expect(gunzipSync(packed).toString().trimEnd().split("\n")).toHaveLength(2);
  const { body } = await world.call("GET", `${world.environmentPath}/activity?entityType=audit`);
  expect(body.data[0]).toMatchObject({ action: "audit:export" });
  const wrong = await world.call("GET", `${base}/export?fields=requestId,secrets`);
  expect(wrong.body.code).toBe("VALIDATION_FAILED");
});

test("the stream tells what begins and ends, filtered, and goes on where a reader left", async () => {
  const { live } = world.records;
  const { workspaceId, environmentId } = world.firstRun;
  const make = (model: string) =>
    sampleRecord(Date.now(), { workspaceId, environmentId, model, status: "ok" });
  const first = await openStream("?model=good");
  await until(() => live.isWatched(environmentId));
  live.publish("started", { ...make("good"), model: null });
  live.publish("finished", make("bad"));
  live.publish("finished", make("good"));
  const events = await first.take(2);
  expect(events.map(({ event, data }) => [event, data.row.status, data.row.model])).toEqual([
    ["started", null, null],
    ["finished", "ok", "good"],
  ]);
  first.leave();
  live.publish("finished", make("good"));
  const again = await openStream("?model=good", events[0]!.id);
  expect((await again.take(2)).map(({ event }) => event)).toEqual(["finished", "finished"]);
  again.leave();
  const stranger = await openStream("", "zzz-0-0");
  expect((await stranger.take(1))[0]!.event).toBe("gap");
  for (let index = 0; index < 80; index++) live.publish("finished", make("good"));
  const many = await stranger.take(51);
  const counts = many.find(({ event }) => event === "counts");
  expect(counts!.data.counts.finished).toBeGreaterThan(0);
  stranger.leave();
});

const adminAuthorization = `Bearer ${adminToken}`;

interface Received {
  readonly id?: string;
  readonly event: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

async function openStream(query: string, lastEventId?: string) {
  const leaving = new AbortController();
  const response = await fetch(`${world.url}${base}/stream${query}`, {
    headers: {
      authorization: adminAuthorization,
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
    signal: leaving.signal,
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async take(count: number): Promise<Received[]> {
      const received: Received[] = [];
      while (received.length < count) {
        const end = text.indexOf("\n\n");
        if (end < 0) {
          text += (await reader.read()).value ?? "";
          continue;
        }
        const frame = text.slice(0, end);
        text = text.slice(end + 2);
        const member = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(frame)?.[1];
        const event = member("event");
        const id = member("id");
        if (event) {
          received.push({ event, data: JSON.parse(member("data")!), ...(id ? { id } : {}) });
        }
      }
      return received;
    },
    leave: () => leaving.abort(),
  };
}

async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round++) await delay(10);
}
