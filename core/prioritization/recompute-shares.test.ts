import { afterAll, beforeAll, expect, test } from "vitest";
import type { CapacityStore, PoolBounds, ReserveReply } from "../contract/index.ts";
import type { EnvironmentView, Snapshot } from "../store/snapshot.ts";
import { type AllocationParts, createAllocation } from "./create-allocation.ts";
import { poolGateOf } from "./pool-gate.ts";
import { defaults } from "./plays/testing.ts";
import { createEnvironment, loadTestPlugins, type TestPlugins } from "./testing.ts";

let plugins: TestPlugins;
beforeAll(async () => {
  plugins = await loadTestPlugins();
});
afterAll(() => plugins.stop());

const pool = (name: string, rank: number, min: number, max: number): PoolBounds => ({
  name,
  rank,
  min: min * 1000,
  max: max * 1000,
});
const chatAndDocs = [pool("chat", 0, 50, 100), pool("docs", 1, 0, 50)];

/** An environment on the real store, with what tests do to it. */
function createWorld(pools: readonly PoolBounds[] = chatAndDocs, limit = 100_000) {
  let environment = createEnvironment(limit, pools, defaults);
  const [connection] = environment.connections.values();
  const { environmentId } = environment;
  const { connectionId } = connection!;
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const make = (parts: Partial<AllocationParts> = {}) =>
    createAllocation({
      store: { ask: (use) => use(plugins.store) },
      prioritization: () => Promise.resolve(plugins.prioritization),
      sharedState: () => Promise.resolve(plugins.sharedState),
      snapshot: () =>
        ({ environments: new Map([[environmentId, environment]]) }) as unknown as Snapshot,
      processId: crypto.randomUUID(),
      clock: plugins.clock,
      log: { debug: note, info: note, warn: note, error: note },
      ...parts,
    });
  return {
    connectionId,
    environmentId,
    logged,
    make,
    environment: () => environment,
    define(next: readonly PoolBounds[]) {
      const { pools } = createEnvironment(limit, next, defaults);
      environment = { ...environment, pools } as EnvironmentView;
    },
    reserve(name: string, tokens: number): Promise<ReserveReply> {
      return plugins.store.reserve({
        environmentId,
        reservationId: crypto.randomUUID(),
        processId: "test",
        ttlMs: 60_000,
        amount: { requests: 1, tokens },
        meters: [{
          level: "connection",
          subjectId: connectionId,
          period: "minute",
          limit: { requests: null, tokens: limit },
        }],
        pool: poolGateOf(environment, connection!, name)!,
      });
    },
    async setShares(shares: Readonly<Record<string, number>>, lastGrowthAt = 0) {
      const state = await plugins.store.readPools(environmentId, connectionId, 30);
      await plugins.store.casShares({
        environmentId,
        connectionId,
        version: state?.version ?? 0,
        shares: Object.entries(shares).map(([name, share]) => ({
          name,
          current: share * 1000,
          lastGrowthAt,
        })),
      });
    },
    async shares() {
      const state = await plugins.store.readPools(environmentId, connectionId, 30);
      return Object.fromEntries(state!.pools.map(({ name, current }) => [name, current / 1000]));
    },
  };
}

/** To the first second of the next minute. */
function nextMinute(): void {
  plugins.clock.ms = (Math.floor(plugins.clock.ms / 60_000) + 1) * 60_000;
}

test("the gate of the worked example refuses for lack of free share, and grows where there is some", async () => {
  nextMinute();
  const world = createWorld();
  // Right after t = 3: docs has 10 percent, none is free.
  await world.setShares({ chat: 90, docs: 10 });
  expect((await world.reserve("docs", 9_800)).admitted).toBe(true);
  const refused = await world.reserve("docs", 500);
  expect(refused).toMatchObject({
    admitted: false,
    refused: [{ rule: "share", pool: "docs", current: 10_000, used: 9_800 }],
  });
  // Right after t = 12: docs has 20 percent, 20 are free.
  nextMinute();
  await world.setShares({ chat: 60, docs: 20 });
  expect((await world.reserve("docs", 19_900)).admitted).toBe(true);
  expect((await world.reserve("docs", 500)).admitted).toBe(true);
  expect(await world.shares()).toEqual({ chat: 60, docs: 20.4 });
});

test("growth at the gate is told as such until a recomputation moves the share", async () => {
  nextMinute();
  const world = createWorld();
  const allocation = world.make();
  await world.reserve("docs", 500);
  const view = async () => (await allocation.view(world.environment(), {}))[0]!.pools[1]!;
  expect(await view()).toMatchObject({
    current: 0.5,
    lastAction: "up",
    reason: "grew when a request needed more than its share, taken from free share",
    at: new Date(plugins.clock.ms).toISOString(),
  });
  plugins.clock.ms += 40_000;
  await world.setShares({ chat: 50, docs: 30 });
  await allocation.round();
  expect(await view()).toMatchObject({
    current: 0,
    lastAction: "down",
    reason: "released 30 points: 0 % is enough for demand 0 tokens in 30 s",
  });
});

test("two processes recompute a connection once a second between them, and both know its past", async () => {
  nextMinute();
  const world = createWorld();
  let recomputed = 0;
  const counting = {
    recompute: (input: Parameters<typeof plugins.prioritization.recompute>[0]) => {
      recomputed++;
      return plugins.prioritization.recompute(input);
    },
  };
  const parts = { prioritization: () => Promise.resolve(counting) };
  const processes = [world.make(parts), world.make(parts)];
  await world.reserve("docs", 8_000);
  for (let second = 0; second < 10; second++) {
    plugins.clock.ms += 1_000;
    await Promise.all(processes.map((process) => process.round()));
  }
  expect(recomputed).toBe(10);
  const histories = await Promise.all(
    processes.map(async (process) => (await process.view(world.environment(), {}))[0]!.history),
  );
  expect(histories[0]!.length).toBe(10);
  expect(histories[1]).toEqual(histories[0]);

  // The one that dies leaves its work to the other, which has had no traffic at all.
  plugins.clock.ms += 30_000;
  await processes[1]!.round();
  await processes[1]!.round();
  expect(await world.shares()).toEqual({ chat: 50, docs: 0 });
});

test("connections without traffic and above no minimum are left in peace", async () => {
  nextMinute();
  const world = createWorld();
  let reads = 0;
  const store = {
    ...plugins.store,
    readPools: (...key: Parameters<CapacityStore["readPools"]>) => {
      reads++;
      return plugins.store.readPools(...key);
    },
  };
  const allocation = world.make({ store: { ask: (use) => use(store) } });
  const seconds = async (count: number) => {
    reads = 0;
    for (let second = 0; second < count; second++) {
      plugins.clock.ms += 1_000;
      await allocation.round();
    }
    return reads;
  };
  // A new definition is looked after for the length of a window.
  expect(await seconds(60)).toBeLessThan(40);
  expect(await seconds(60)).toBe(0);
  await world.reserve("docs", 100);
  expect(await seconds(5)).toBe(0);
  allocation.touch(world.connectionId);
  expect(await seconds(10)).toBe(10);
  await seconds(90);
  expect(await seconds(60)).toBe(0);
});

test("a share that a gate grows meanwhile makes the recomputation start again", async () => {
  nextMinute();
  const world = createWorld();
  await world.reserve("chat", 1_000);
  let races = 2;
  const store: CapacityStore = {
    ...plugins.store,
    async casShares(change) {
      if (races-- > 0) await world.reserve("docs", 1_000);
      return await plugins.store.casShares(change);
    },
  };
  await world.setShares({ chat: 70, docs: 0 });
  const allocation = world.make({ store: { ask: (use) => use(store) } });
  await allocation.round();
  expect(races).toBe(-1);
  // Demand of both races is seen: 2 000 tokens ask for 4 percent.
  expect(await world.shares()).toEqual({ chat: 50, docs: 4 });
});

test("what a prioritization decides against the law is counted, logged and not stored", async () => {
  nextMinute();
  const world = createWorld();
  await world.reserve("docs", 100);
  const before = await world.shares();
  const greedy = {
    recompute: (input: Parameters<typeof plugins.prioritization.recompute>[0]) => {
      const next = plugins.prioritization.recompute(input);
      return { ...next, shares: next.shares.map((share) => ({ ...share, current: 60_000 })) };
    },
  };
  const allocation = world.make({ prioritization: () => Promise.resolve(greedy) });
  plugins.clock.ms += 1_000;
  await allocation.round();
  expect(allocation.violations()).toBe(2);
  expect(world.logged).toEqual([
    'The allocation law is broken: pool "docs" has 60 %, not 0 to 50 %',
  ]);
  expect(await world.shares()).toEqual(before);
});

test("shares stay while the shared state, the store or the plugin is away, and the view goes on", async () => {
  nextMinute();
  const world = createWorld();
  let away = "";
  const allocation = world.make({
    store: { ask: (use) => away === "store" ? Promise.resolve(undefined) : use(plugins.store) },
    sharedState: () =>
      away === "state" ? Promise.reject(new Error("gone")) : Promise.resolve(plugins.sharedState),
    prioritization: () =>
      away === "plugin"
        ? Promise.reject(new Error("off"))
        : Promise.resolve(plugins.prioritization),
  });
  const round = async () => {
    allocation.touch(world.connectionId);
    plugins.clock.ms += 1_000;
    await allocation.round();
    return (await allocation.view(world.environment(), {}))[0]!;
  };
  await world.reserve("docs", 8_000);
  expect((await round()).pools[1]).toMatchObject({ current: 16 });
  await world.reserve("docs", 2_000);
  for (away of ["state", "plugin"]) {
    expect((await round()).pools[1]).toMatchObject({ current: 16, demandTokens: 10_000 });
  }
  away = "store";
  expect(await round()).toMatchObject({
    free: 34,
    pools: [{ current: 50 }, { current: 16, usedThisMinute: 0 }],
    history: [{ shares: { docs: 16 } }],
  });
  away = "";
  expect((await round()).pools[1]).toMatchObject({ current: 20 });
  expect(world.logged).toEqual([
    "Shares of pools stay as they are: they cannot be recomputed",
    "Shares of pools are recomputed again",
  ]);
});

test("a changed definition moves shares at the next round, without traffic", async () => {
  nextMinute();
  const world = createWorld();
  await world.setShares({ chat: 60, docs: 40 }, plugins.clock.ms);
  const allocation = world.make();
  world.define([pool("docs", 0, 0, 30), pool("jobs", 1, 25, 100)]);
  await allocation.round();
  expect(await world.shares()).toEqual({ docs: 30, jobs: 25 });
});
