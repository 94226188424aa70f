import { afterAll, beforeAll, expect, test } from "vitest";
import type { CapacityStore, Meter, SharedState } from "../contract/index.ts";
import { startTestGateway, type TestGateway } from "../gateway/testing.ts";
import { startTestManagement, type TestManagement } from "../management/testing.ts";
import { createDiscoveredRecorder } from "../records/discovered-limits.ts";
import { createCounterCopies } from "./counter-copies.ts";
import { createDiscovered } from "./discovered.ts";
import { createTestLog } from "./testing.ts";

/* What outlives a process: counters of long windows, and limits that providers told of. */

let management: TestManagement;
let fresh: TestGateway;
let environmentId: string;

beforeAll(async () => {
  [management, fresh] = await Promise.all([startTestManagement(), startTestGateway()]);
  environmentId = management.environmentPath.split("/").at(-1)!;
});

afterAll(async () => {
  await management.stop();
  await fresh.stop();
});

const copiesOf = (store: CapacityStore, environments = () => [environmentId]) =>
  createCounterCopies({
    database: management.database,
    store: { ask: (use) => use(store) },
    sharedState: () => management.host.get("sharedStates", "memory") as Promise<SharedState>,
    processId: "p",
    environments,
    clock: management.clock,
    log: createTestLog(),
  });

const meter = (period: Meter["period"]): Meter => ({
  level: "connection",
  subjectId: "c",
  period,
  limit: { requests: null, tokens: null },
});

const use = (store: CapacityStore, reservationId: string) =>
  store.reserve({
    environmentId,
    reservationId,
    processId: "p",
    ttlMs: 60_000,
    amount: { requests: 1, tokens: 100 },
    meters: [meter("minute"), meter("day"), meter("lifetime")],
  });

const used = async (store: CapacityStore) =>
  (await store.read(environmentId, [meter("minute"), meter("day"), meter("lifetime")]))
    .map((state) => state.used.requests);

test("a store that starts empty is given the counters of hour and longer windows, once", async () => {
  const before = await management.host.get("capacityStores", "memory");
  const copies = copiesOf(before);
  await copies.restore();
  await use(before, "one");
  await use(before, "two");
  await copies.copy();

  const after = await fresh.host.get("capacityStores", "memory");
  // What came in before the copy was read counts as well.
  await use(after, "three");
  const restored = copiesOf(after);
  await restored.restore();
  await restored.restore();
  expect(await used(after)).toEqual([1, 3, 3]);

  await use(after, "four");
  await restored.stop();
  const row = await management.database.em().getConnection().execute(
    `select counters from vmx.capacity_copies where environment_id = '${environmentId}'`,
  );
  expect(JSON.stringify(row)).toContain('"requests":4');
});

test("an environment that is gone keeps no other from being copied", async () => {
  const store = await management.host.get("capacityStores", "memory");
  const gone = crypto.randomUUID();
  await store.restore(gone, []);
  await store.reserve({
    environmentId: gone,
    reservationId: "x",
    processId: "p",
    ttlMs: 60_000,
    amount: { requests: 1, tokens: 1 },
    meters: [meter("day")],
  });
  await use(store, "five");
  await copiesOf(store, () => [gone, environmentId]).copy();
  const rows = await management.database.em().getConnection().execute(
    `select counters from vmx.capacity_copies where environment_id = '${environmentId}'`,
  );
  expect(JSON.stringify(rows)).toContain('"requests":3');
});

test("limits a provider told of are written beside the connection without a new version", async () => {
  const path = `${management.environmentPath}/ai-connections`;
  const [connection] = (await management.call("GET", path)).body.data;
  const { connectionId, version } = connection;
  const discovered = createDiscovered(management.clock);
  const recorder = createDiscoveredRecorder({
    database: management.database,
    discovered,
    log: createTestLog(),
  });
  discovered.note(connectionId, "m", () => ({ tokens: { limit: 900, remaining: 1 } }));
  await recorder.stop();
  const shown = (await management.call("GET", `${path}/${connectionId}`)).body;
  expect(shown.version).toBe(version);
  expect(shown.discoveredCapacity.models.m).toMatchObject({
    source: "headers",
    capacity: [{ period: "minute", requests: null, tokens: 900 }],
  });

  const restarted = createDiscovered(management.clock);
  const next = createDiscoveredRecorder({
    database: management.database,
    discovered: restarted,
    log: createTestLog(),
  });
  await next.load();
  expect(restarted.latest(connectionId, "minute")).toMatchObject({ tokens: 900 });
  restarted.note(connectionId, "n", () => ({ requests: { limit: 7 } }));
  await next.stop();
  const both = (await management.call("GET", `${path}/${connectionId}`)).body;
  expect(Object.keys(both.discoveredCapacity.models).sort()).toEqual(["m", "n"]);
});
