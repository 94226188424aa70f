import { setTimeout as delay } from "node:timers/promises";
import type {
  CapacityStore,
  Clock,
  Log,
  PoolBounds,
  PoolState,
  Prioritization,
  ReserveReply,
  SharedState,
} from "../contract/index.ts";
import { createPluginHost } from "../host/create-plugin-host.ts";
import { installationRoot } from "../host/discover.ts";
import { createEgressGuard } from "../kit/egress.ts";
import { createHttpClient } from "../kit/http.ts";
import type { ConnectionView, EnvironmentView, Snapshot } from "../store/snapshot.ts";
import { type Allocation, createAllocation } from "./create-allocation.ts";
import { poolBounds, poolGateOf } from "./pool-gate.ts";

/** Real stores and the real prioritization of one process. */
export interface TestPlugins {
  readonly store: CapacityStore;
  readonly sharedState: SharedState;
  readonly prioritization: Prioritization;
  readonly clock: Clock & { ms: number };
  /** Unix milliseconds a play starts at. */
  readonly beginsAt: () => number;
  /** Resolves when a moment is there. */
  readonly reach: (ms: number) => Promise<void> | void;
  /** The other processes of a play; without any, they share this one's plugins. */
  readonly others?: readonly TestPlugins[];
  stop(): Promise<void>;
}

/** Begins at a minute of the calendar. */
export const beginning = Date.parse("2026-03-02T09:00:00Z");
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Where plugins keep their state instead of in memory, and so by whose clock they go. */
export interface OuterState {
  /** Id of the capacity store and of the shared state. */
  readonly id: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Finds the plugins of one process as the gateway does; in memory they go by a clock the test moves. */
export async function loadTestPlugins(outer?: OuterState): Promise<TestPlugins> {
  const own = { ms: beginning, now: () => own.ms, monotonic: () => own.ms };
  const guard = createEgressGuard({ privateRanges: "deny", allow: [] });
  const real: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const clock: TestPlugins["clock"] = outer ? { ...real, ms: 0 } : own;
  const http = createHttpClient({
    connectTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    guard,
    clock: real,
  });
  const host = await createPluginHost({
    root: installationRoot(),
    coreVersion: "0.1.0",
    environment: outer?.environment ?? {},
    log: silent,
    fetch: http.fetch,
    http,
    clock,
    dataDir: "/nonexistent",
    signal: new AbortController().signal,
  });
  return {
    store: await host.get("capacityStores", outer?.id ?? "memory"),
    sharedState: await host.get("sharedStates", outer?.id ?? "memory"),
    prioritization: await host.get("prioritizations", "adaptive-token-scaling"),
    clock,
    // Whole seconds, as the store counts demand by them.
    beginsAt: () => outer ? Math.ceil(Date.now() / 1000 + 1) * 1000 : beginning,
    reach: (ms) => outer ? delay(Math.max(0, ms - Date.now())) : void (own.ms = ms),
    async stop() {
      await host.dispose();
      await http.close();
    },
  };
}

/** One request of a play. */
export interface Arrival {
  /** Milliseconds from the beginning. */
  readonly atMs: number;
  /** Undefined for traffic of no pool. */
  readonly pool: string | undefined;
  /** What it reserves. */
  readonly tokens: number;
  /** What it turns out to take. */
  readonly used: number;
  readonly durationMs: number;
}

/** A connection, its pools and what is asked of them. */
export interface Play {
  readonly limit: number;
  readonly pools: readonly PoolBounds[];
  readonly parameters: EnvironmentView["settings"]["prioritization"];
  readonly seconds: number;
  readonly arrivals: readonly Arrival[];
  /** Processes that serve and recompute; 1 by default. */
  readonly processes?: number;
}

/** Use of one calendar minute, counted by the test for itself. */
export interface MinuteUse {
  readonly byPool: Map<string | undefined, number>;
  total: number;
  /** Tokens settled beyond what was reserved. */
  overshoot: number;
}

/** What a play's audience sees. */
export interface Audience {
  /** A request has been answered; `before` is the state it met. */
  onRequest?(scene: {
    readonly arrival: Arrival;
    readonly reply: ReserveReply;
    readonly before: PoolState;
    readonly after: PoolState;
    /** Use before the request. */
    readonly use: (pool: string | undefined) => number;
    readonly total: number;
    readonly overshoot: number;
    readonly minute: number;
  }): void;
  /** The processes have had their round. */
  onRound?(state: PoolState, seconds: number): void;
}

/** The totals of a play. */
export interface Ending {
  readonly admitted: ReadonlyMap<string | undefined, number>;
  readonly refused: ReadonlyMap<string | undefined, number>;
  readonly minutes: ReadonlyMap<number, MinuteUse>;
  readonly violations: number;
  readonly allocations: readonly Allocation[];
  readonly environment: EnvironmentView;
}

/** Plays requests, settlements and rounds of recomputation in the order of their moments. */
export async function play(
  plugins: TestPlugins,
  { limit, pools, parameters, seconds, arrivals, processes = 1 }: Play,
  audience: Audience = {},
): Promise<Ending> {
  const { store, clock } = plugins;
  const team = [plugins, ...plugins.others ?? []];
  const beginsAt = plugins.beginsAt();
  await plugins.reach(beginsAt);
  const environment = createEnvironment(limit, pools, parameters);
  const { environmentId } = environment;
  const connection = [...environment.connections.values()][0]!;
  const { connectionId } = connection;
  const snapshot = { environments: new Map([[environmentId, environment]]) } as unknown as Snapshot;
  const allocations = Array.from({ length: processes }, (_, index) =>
    createAllocation({
      store: { ask: (use) => use(team[index % team.length]!.store) },
      prioritization: () => Promise.resolve(plugins.prioritization),
      sharedState: () => Promise.resolve(team[index % team.length]!.sharedState),
      snapshot: () => snapshot,
      processId: `${environmentId}-${index}`,
      clock,
      log: silent,
    }));
  const gates = new Map<string | undefined, ReturnType<typeof poolGateOf>>(
    [undefined, ...pools.map(({ name }) => name)].map((name) => [
      name,
      poolGateOf(environment, connection, name),
    ]),
  );
  const minutes = new Map<number, MinuteUse>();
  const admitted = new Map<string | undefined, number>();
  const refused = new Map<string | undefined, number>();
  const useOf = (minute: number): MinuteUse => {
    let use = minutes.get(minute);
    if (!use) minutes.set(minute, use = { byPool: new Map(), total: 0, overshoot: 0 });
    return use;
  };
  const add = (use: MinuteUse, pool: string | undefined, tokens: number): void => {
    use.byPool.set(pool, (use.byPool.get(pool) ?? 0) + tokens);
    use.total += tokens;
  };
  const read = async () => {
    const { windowSeconds } = parameters;
    return (await store.readPools(environmentId, connectionId, windowSeconds)) ??
      { version: 0, now: clock.now(), unassignedUsed: 0, pools: [] };
  };

  async function request(arrival: Arrival, index: number): Promise<void> {
    const before = await read();
    const reservationId = crypto.randomUUID();
    allocations[index % processes]!.touch(connectionId);
    const reply = await team[index % processes % team.length]!.store.reserve({
      environmentId,
      reservationId,
      processId: "play",
      ttlMs: 600_000,
      amount: { requests: 1, tokens: arrival.tokens },
      meters: [{
        level: "connection",
        subjectId: connectionId,
        period: "minute",
        limit: { requests: null, tokens: limit },
      }],
      pool: gates.get(arrival.pool)!,
    });
    const minute = Math.floor((beginsAt % 60_000 + arrival.atMs) / 60_000);
    const use = useOf(minute);
    const total = use.total;
    const used = new Map(use.byPool);
    const counts = reply.admitted ? admitted : refused;
    counts.set(arrival.pool, (counts.get(arrival.pool) ?? 0) + arrival.tokens);
    if (reply.admitted) {
      add(use, arrival.pool, arrival.tokens);
      insert(moments, {
        atMs: arrival.atMs + arrival.durationMs,
        async run() {
          await store.settle(environmentId, reservationId, { requests: 1, tokens: arrival.used });
          add(use, arrival.pool, arrival.used - arrival.tokens);
          use.overshoot += Math.max(0, arrival.used - arrival.tokens);
        },
      });
    }
    audience.onRequest?.({
      arrival,
      reply,
      before,
      after: await read(),
      use: (pool) => used.get(pool) ?? 0,
      total,
      overshoot: use.overshoot,
      minute,
    });
  }

  const moments: Moment[] = [
    ...arrivals.map((arrival, index) => ({
      atMs: arrival.atMs,
      run: () => request(arrival, index),
    })),
    ...Array.from({ length: seconds }, (_, second) => ({
      atMs: (second + 1) * 1000,
      async run() {
        // Another process is first each time.
        for (let turn = 0; turn < processes; turn++) {
          await allocations[(second + turn) % processes]!.round();
        }
        audience.onRound?.(await read(), second + 1);
      },
    })),
  ];
  moments.sort((one, other) => one.atMs - other.atMs);
  for (let next = 0; next < moments.length; next++) {
    const { atMs, run } = moments[next]!;
    if (atMs > seconds * 1000) break;
    await plugins.reach(beginsAt + atMs);
    await run();
  }
  const violations = allocations.reduce((sum, allocation) => sum + allocation.violations(), 0);
  for (const allocation of allocations) await allocation.stop();
  return { admitted, refused, minutes, violations, allocations, environment };
}

interface Moment {
  readonly atMs: number;
  run(): Promise<void>;
}

/** Puts a moment after all that are not later. */
function insert(moments: Moment[], moment: Moment): void {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle]!.atMs <= moment.atMs) low = middle + 1;
    else high = middle;
  }
  moments.splice(low, 0, moment);
}

/** An environment with one connection whose tokens per minute the pools share; pools are named like a resource. */
export function createEnvironment(
  limit: number,
  pools: readonly PoolBounds[],
  parameters: EnvironmentView["settings"]["prioritization"],
): EnvironmentView {
  const environmentId = crypto.randomUUID();
  const connectionId = crypto.randomUUID();
  const connection = {
    connectionId,
    environmentId,
    capacity: [{ period: "minute", tokens: limit }],
  } as unknown as ConnectionView;
  const environment = {
    environmentId,
    settings: { prioritization: parameters },
    connections: new Map([[connectionId, connection]]),
    pools: pools.map(({ name, rank, min, max }) => ({
      name,
      rank,
      resources: [name],
      minReservation: min / 1000,
      maxReservation: max / 1000,
    })),
  } as unknown as EnvironmentView;
  if (JSON.stringify(poolBounds(environment)) !== JSON.stringify(pools)) {
    throw new Error("The play's bounds are not in whole units");
  }
  return environment;
}
