import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, startTestManagement, type TestManagement } from "./testing.ts";

let management: TestManagement;
let connectionId: string;
let path: string;

beforeAll(async () => {
  management = await startTestManagement();
  path = `${management.environmentPath}/capacity`;
  const created = await management.call("POST", `${management.environmentPath}/ai-connections`, {
    name: "limited",
    provider: "echo",
    config: {},
    capacity: [
      { period: "minute", requests: 100, tokens: 5000 },
      { period: "lifetime", tokens: 1_000_000 },
      { period: "day", requests: 10, dimension: "metadata", dimensionField: "tenant" },
      { period: "hour", requests: 1, enabled: false },
    ],
  });
  connectionId = created.body.connectionId;
});

afterAll(() => management.stop());

const environmentId = () => management.environmentPath.split("/").at(-1)!;
const base = () => ({ level: "connection", subjectId: connectionId }) as const;

async function use(reservationId: string, tenant?: string) {
  const none = { requests: null, tokens: null };
  await management.gateway.capacity.admission.store.ask((store) =>
    store.reserve({
      environmentId: environmentId(),
      reservationId,
      processId: "p",
      ttlMs: 60_000,
      amount: { requests: 1, tokens: 300 },
      meters: tenant
        ? [{
          ...base(),
          period: "day",
          limit: none,
          dimension: { name: "metadata.tenant", value: tenant },
        }]
        : [
          { ...base(), period: "minute", limit: none },
          { ...base(), period: "lifetime", limit: none },
        ],
    })
  );
}

test("the live view shows every enabled limit with use, reservations and what is left", async () => {
  await use("first");
  await use("second");
  await management.gateway.capacity.admission.store.ask((store) =>
    store.settle(environmentId(), "second", { requests: 1, tokens: 120 })
  );
  const { status, body } = await management.call("GET", path);
  expect(status).toBe(200);
  expect(body.storeState).toBe("ok");
  expect(body.data.map(({ period }: { period: string }) => period)).toEqual(["minute", "lifetime"]);
  expect(body.data[1]).toEqual({
    level: "connection",
    subjectId: connectionId,
    subjectName: "limited",
    period: "lifetime",
    requests: { limit: null, used: 2, reserved: 1, remaining: null },
    tokens: { limit: 1_000_000, used: 420, reserved: 300, remaining: 999_580 },
    windowStart: null,
    resetAt: null,
    deniedInWindow: 0,
  });
});

test("of a dimension the 20 highest values are shown", async () => {
  for (let at = 0; at < 25; at++) await use(`t${at}`, `tenant-${at}`);
  await use("again", "tenant-7");
  const { body } = await management.call(
    "GET",
    `${path}?level=connection&subjectId=${connectionId}`,
  );
  const values = body.data.filter(({ dimension }: { dimension?: string }) => dimension);
  expect(values).toHaveLength(20);
  expect(values[0]).toMatchObject({
    dimension: "metadata.tenant",
    dimensionValue: "tenant-7",
    requests: { limit: 10, used: 2, remaining: 8 },
  });
  expect((await management.call("GET", `${path}?level=resource`)).body.data).toEqual([]);
});

test("what a provider told of its limits stands beside the connection's own", async () => {
  management.gateway.capacity.discovered.note(connectionId, "m", () => ({
    requests: { limit: 500, remaining: 400 },
  }));
  const { body } = await management.call("GET", path);
  expect(body.data[0].discovered).toMatchObject({ requests: 500, tokens: null });
});

test("a reset forgets one subject's period and leaves a line in the activity trail", async () => {
  const answer = await management.call("POST", `${path}/reset`, { ...base(), period: "lifetime" });
  expect(answer.status).toBe(204);
  const { body } = await management.call("GET", path);
  const tokens = Object.fromEntries(
    body.data.map((meter: { period: string; tokens: { used: number } }) => [
      meter.period,
      meter.tokens.used,
    ]),
  );
  expect(tokens.lifetime).toBe(0);
  const trail = await management.call("GET", `${management.environmentPath}/activity`);
  expect(trail.body.data[0]).toMatchObject({
    action: "capacity:reset",
    entity: { type: "connection", id: connectionId, name: "limited (lifetime)" },
  });
  const unknown = { ...base(), subjectId: crypto.randomUUID(), period: "day" };
  expect((await management.call("POST", `${path}/reset`, unknown)).status).toBe(404);
});

test("followed as events it begins with everything and goes on with what changes", async () => {
  const leave = new AbortController();
  const response = await fetch(management.url + path, {
    headers: { authorization: `Bearer ${adminToken}`, accept: "text/event-stream" },
    signal: leave.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-cache");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => {
    const { value } = await reader.read();
    const data = /^event: capacity\ndata: (.*)\n\n$/.exec(value ?? "")![1]!;
    return JSON.parse(data).data as { period: string; requests: { used: number } }[];
  };
  expect((await next()).length).toBeGreaterThan(2);
  await use("streamed");
  const changed = await next();
  expect(changed.map(({ period }) => period)).toEqual(["minute", "lifetime"]);
  leave.abort();
  await reader.closed.catch(() => {});
});

const faults: [string, object, string][] = [
  ["a negative limit", { period: "day", requests: -1 }, "/capacity/0/requests"],
  ["zero", { period: "day", requests: 0 }, "/capacity/0/requests"],
  ["a fraction", { period: "day", tokens: 1.5 }, "/capacity/0/tokens"],
  ["an absurd number", { period: "day", tokens: 1e300 }, "/capacity/0/tokens"],
  ["a number above what counts exactly", { period: "day", tokens: 2 ** 53 }, "/capacity/0/tokens"],
  ["text", { period: "day", requests: "10" }, "/capacity/0/requests"],
  ["an unknown period", { period: "second", requests: 1 }, "/capacity/0/period"],
  ["no limit at all", { period: "day" }, "/capacity/0"],
  ["only nulls", { period: "day", requests: null, tokens: null }, "/capacity/0"],
  ["an unknown member", { period: "day", requests: 1, burst: 2 }, "/capacity/0/burst"],
  [
    "a dimension without its field",
    { period: "day", requests: 1, dimension: "metadata" },
    "/capacity/0/dimensionField",
  ],
  [
    "a field without its dimension",
    { period: "day", requests: 1, dimensionField: "tenant" },
    "/capacity/0/dimensionField",
  ],
  [
    "a field no metadata can have",
    { period: "day", requests: 1, dimension: "metadata", dimensionField: "a b" },
    "/capacity/0/dimensionField",
  ],
];

test.each(faults)("%s in a limit is refused with the field named", async (_title, entry, at) => {
  const { status, body } = await management.call(
    "PATCH",
    `${management.environmentPath}/ai-connections/${connectionId}`,
    { capacity: [entry] },
  );
  expect(status).toBe(400);
  expect(body.code).toBe("VALIDATION_FAILED");
  expect(body.errors.map(({ path }: { path: string }) => path)).toContain(at);
});

test("NaN is no JSON and a second entry for the same window is refused", async () => {
  const connection = `${management.environmentPath}/ai-connections/${connectionId}`;
  const nan = await management.call(
    "PATCH",
    connection,
    '{"capacity":[{"period":"day","requests":NaN}]}',
  );
  expect(nan.status).toBe(400);
  const twice = await management.call("PATCH", connection, {
    capacity: [{ period: "day", requests: 1 }, { period: "day", tokens: 5 }],
  });
  expect(twice.status).toBe(400);
  expect(twice.body.errors).toMatchObject([{ path: "/capacity/1", code: "unique" }]);
});

test("zero is refused with a hint how to block or not to limit", async () => {
  const { body } = await management.call(
    "PATCH",
    `${management.environmentPath}/ai-connections/${connectionId}`,
    { capacity: [{ period: "day", requests: 0 }] },
  );
  expect(JSON.stringify(body.errors)).toMatch(/null.*disable/i);
});
