import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let base: string;
let path: string;
let resources: string[];

beforeAll(async () => {
  plane = await startTestManagement();
  base = plane.environmentPath;
  path = `${base}/pool-definition`;
  const connections = await plane.call("GET", `${base}/ai-connections`);
  const { connectionId } = connections.body.data[0];
  const made = ["chat", "docs", "jobs"].map((name) =>
    plane.call("POST", `${base}/ai-resources`, { name, model: { connectionId, model: "echo" } })
  );
  resources = (await Promise.all(made)).map(({ body }) => body.resourceId);
});
afterAll(() => plane.stop());

const pool = (name: string, rank: number, min: number, max: number, ids: string[] = []) => ({
  name,
  rank,
  resources: ids,
  minReservation: min,
  maxReservation: max,
});
const put = (definition: unknown, headers?: HeadersInit) =>
  plane.call("PUT", path, { definition }, headers);

test("pools are created, read, replaced, patched and deleted, under their version", async () => {
  expect((await plane.call("GET", path)).body.code).toBe("POOL_DEFINITION_NOT_FOUND");
  expect((await plane.call("PATCH", path, { definition: [] })).status).toBe(404);
  expect((await put([], { "if-match": '"1"' })).status).toBe(404);
  expect((await plane.call("GET", `${path}/allocation`)).body).toMatchObject({ pools: 0 });

  const definition = [pool(" Chat ", 0, 50, 100, [resources[0]!]), pool("docs", 1, 0.001, 50)];
  const created = await put(definition);
  expect(created.status, created.text).toBe(200);
  expect(created.headers.get("etag")).toBe('"1"');
  expect(created.body.definition).toEqual([{ ...definition[0], name: "Chat" }, definition[1]]);
  const read = await plane.call("GET", `${path}?includesUsers=true`);
  expect(read.body).toMatchObject({ version: 1, createdByUser: { email: "admin@localhost" } });
  const same = await plane.call("GET", path, undefined, { "if-none-match": '"1"' });
  expect(same.status).toBe(304);

  const { environments } = plane.loader.current();
  const view = () => plane.loader.current().environments.get(plane.firstRun.environmentId)!;
  expect(view().pools).toEqual(created.body.definition);
  expect((await plane.call("GET", `${path}/allocation`)).body).toMatchObject({ pools: 2 });
  expect(environments.size).toBe(1);

  expect((await put([], { "if-match": '"7"' })).body).toMatchObject({
    code: "VERSION_MISMATCH",
    currentVersion: 1,
  });
  const replaced = await put([pool("docs", 3, 10, 20)], { "if-match": '"1"' });
  expect(replaced.body).toMatchObject({ version: 2, definition: [{ name: "docs", rank: 3 }] });
  const unchanged = await plane.call("PATCH", path, {});
  expect(unchanged.body).toMatchObject({ version: 2, definition: [{ name: "docs" }] });
  const cleared = await plane.call("PATCH", path, { definition: null });
  expect(cleared.body).toMatchObject({ version: 3, definition: [] });

  expect((await plane.call("DELETE", path, undefined, { "if-match": '"1"' })).status).toBe(412);
  expect((await plane.call("DELETE", path)).status).toBe(204);
  expect((await plane.call("DELETE", path)).body.code).toBe("POOL_DEFINITION_NOT_FOUND");
  expect(view().pools).toEqual([]);

  const activity = await plane.call("GET", `${base}/activity?entityType=pool-definition`);
  const lines = activity.body.data.map(({ action, diff }: { action: string; diff: unknown[] }) =>
    `${action} ${diff.length}`
  );
  expect(lines).toEqual([
    "pool-definition:delete 0",
    "pool-definition:update 1",
    "pool-definition:update 0",
    "pool-definition:update 1",
    "pool-definition:update 1",
  ]);
});

test("a resource that is deleted leaves its pool, and the pool stays", async () => {
  await put([pool("jobs", 0, 0, 100, [resources[2]!]), pool("docs", 1, 0, 100, [resources[1]!])]);
  expect((await plane.call("DELETE", `${base}/ai-resources/${resources[2]}`)).status).toBe(204);
  const { body } = await plane.call("GET", path);
  expect(body.definition.map((one: { resources: string[] }) => one.resources.length)).toEqual([
    0,
    1,
  ]);
});

test.each<[string, () => unknown, string, string]>([
  [
    "a resource in two pools",
    () => [pool("a", 0, 0, 1, [resources[0]!]), pool("b", 0, 0, 1, [resources[0]!])],
    "/definition/1/resources/0",
    "must be in one pool only: entry 0 has the resource already",
  ],
  [
    "a resource twice in one pool",
    () => [pool("a", 0, 0, 1, [resources[0]!, resources[0]!])],
    "/definition/0/resources/1",
    "must be in one pool only: entry 0 has the resource already",
  ],
  [
    "an unknown resource",
    () => [pool("a", 0, 0, 1, [crypto.randomUUID()])],
    "/definition/0/resources/0",
    "no AI resource of the environment has this id",
  ],
  [
    "a minimum above the maximum",
    () => [pool("a", 0, 30, 20)],
    "/definition/0/minReservation",
    "must not exceed maxReservation: 30 > 20",
  ],
  [
    "minimums above 100",
    () => [pool("a", 0, 50, 100), pool("b", 0, 50.001, 100)],
    "/definition",
    "must not reserve more than 100 percent: the minimums come to 100.001",
  ],
  [
    "names equal but for letter case and space",
    () => [pool("Chat", 0, 0, 1), pool(" chaT ", 0, 0, 1)],
    "/definition/1/name",
    'must be unique: entry 0 has the name "chaT" already',
  ],
  [
    "finer steps than 0.001",
    () => [pool("a", 0, 0.0005, 1)],
    "/definition/0/minReservation",
    "must be in steps of 0.001",
  ],
])("%s is refused with field and rule", async (_title, definition, at, message) => {
  const answer = await put(definition());
  expect(answer.body).toMatchObject({
    code: "POOL_DEFINITION_INVALID",
    errors: [{ path: at, message }],
  });
});

test.each<[string, unknown, string]>([
  ["a negative minimum", [pool("a", 0, -1, 1)], "/definition/0/minReservation"],
  ["a maximum above 100", [pool("a", 0, 0, 100.001)], "/definition/0/maxReservation"],
  ["a fraction as rank", [pool("a", 0.5, 0, 1)], "/definition/0/rank"],
  ["a negative rank", [pool("a", -1, 0, 1)], "/definition/0/rank"],
  ["a text as percentage", [{ ...pool("a", 0, 0, 1), minReservation: "5" }], "/definition/0/min"],
  ["an empty name", [pool(" ", 0, 0, 1)], "/definition/0/name"],
  ["a member nobody knows", [{ ...pool("a", 0, 0, 1), weight: 3 }], "/definition/0"],
  ["a missing bound", [{ name: "a", rank: 0, resources: [], minReservation: 0 }], "/definition/0"],
  [
    "more than 50 pools",
    Array.from({ length: 51 }, (_, at) => pool(`p${at}`, 0, 0, 1)),
    "/definition",
  ],
])("%s is refused by the schema, the field named", async (_title, definition, at) => {
  const answer = await put(definition);
  expect([answer.status, answer.body.code]).toEqual([400, "VALIDATION_FAILED"]);
  expect(answer.body.errors[0].path).toContain(at);
});

test("hundred percent in many small parts is not more than hundred percent", async () => {
  const parts = Array.from({ length: 40 }, (_, at) => pool(`p${at}`, at, 2.5, 100));
  const odd = [...parts.slice(0, 37), pool("x", 1, 0.1, 1), pool("y", 1, 0.2, 1)];
  expect((await put(parts)).status).toBe(200);
  expect((await put([...odd, pool("z", 1, 7.2, 8)])).status).toBe(200);
});

test("of two callers who create the pools at once, one is second and both are answered", async () => {
  await plane.call("DELETE", path);
  const answers = await Promise.all([put([pool("a", 0, 0, 1)]), put([pool("b", 0, 0, 1)])]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(answers.map(({ body }) => body.version).sort()).toEqual([1, 2]);
});

test("the allocation shows shares, reasons and the past of each connection with a limit", async () => {
  await put([pool("chat", 0, 50, 100, [resources[0]!]), pool("docs", 1, 0, 50, [resources[1]!])]);
  const connections = await plane.call("GET", `${base}/ai-connections`);
  const { connectionId } = connections.body.data[0];
  const without = await plane.call("GET", `${path}/allocation`);
  expect(without.body.data).toEqual([]);
  await plane.call("PATCH", `${base}/ai-connections/${connectionId}`, {
    capacity: [{ period: "minute", tokens: 100_000 }],
  });

  const fresh = await plane.call("GET", `${path}/allocation`);
  expect(fresh.status, fresh.text).toBe(200);
  expect(fresh.body.data).toEqual([{
    connectionId,
    limit: 100_000,
    free: 50,
    unassignedUsed: 0,
    pools: [
      expect.objectContaining({ name: "chat", min: 50, current: 50, max: 100, lastAction: "none" }),
      expect.objectContaining({ name: "docs", min: 0, current: 0, max: 50, at: null }),
    ],
    history: [],
  }]);

  await reserve(connectionId, "docs", 8_000);
  plane.clock.offsetMs += 1_000;
  await plane.gateway.allocation.round();
  const { body } = await plane.call("GET", `${path}/allocation?connectionId=${connectionId}`);
  expect(body.data[0]).toMatchObject({ free: 34, unassignedUsed: 0 });
  expect(body.data[0].pools[1]).toMatchObject({
    current: 16,
    target: 16,
    demandTokens: 8_000,
    usedThisMinute: 8_000,
    lastAction: "up",
    reason: "grew 8 points: demand 8 000 tokens in 30 s is above 50 % of its share; " +
      "taken from free share",
  });
  const [point] = body.data[0].history;
  expect(point).toMatchObject({
    shares: { chat: 50, docs: 16 },
    demand: { chat: 0, docs: 8_000 },
  });
  const later = await plane.call("GET", `${path}/allocation?since=${point.at}`);
  expect(later.body.data[0].history).toEqual([]);

  const unknown = await plane.call("GET", `${path}/allocation?connectionId=${crypto.randomUUID()}`);
  expect([unknown.status, unknown.body.code]).toEqual([404, "AI_CONNECTION_NOT_FOUND"]);
  expect((await plane.call("GET", `${path}/allocation?since=yesterday`)).status).toBe(400);
});

/** What a leg of the resource would do. */
async function reserve(connectionId: string, name: string, tokens: number): Promise<void> {
  const { poolGateOf } = await import("../prioritization/index.ts");
  const view = plane.loader.current().environments.get(plane.firstRun.environmentId)!;
  const gate = poolGateOf(
    view,
    view.connections.get(connectionId)!,
    view.resourcesByName.get(name)!.resourceId,
  );
  plane.gateway.allocation.touch(connectionId);
  const reply = await plane.gateway.capacity.admission.reserve({
    environmentId: view.environmentId,
    amount: { requests: 1, tokens },
    meters: [{
      level: "connection",
      subjectId: connectionId,
      period: "minute",
      limit: { requests: null, tokens: 100_000 },
    }],
    pool: gate,
    ttlMs: 60_000,
  });
  expect(reply.result).toBe("admitted");
}
