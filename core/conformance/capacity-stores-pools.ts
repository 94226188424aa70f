import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type {
  CapacityStore,
  PoolBounds,
  PoolShare,
  Refusal,
  ReserveReply,
} from "../contract/capacity-store.ts";
import { environmentId, meter, poolsOf, request, reserved } from "./capacity-stores-requests.ts";
import type { StoreCase } from "./capacity-stores.ts";

const limit = 100_000;
const connectionId = "c";
const total = meter({ tokens: limit });
const pools = poolsOf({ chat: [50, 100], docs: [0, 50] });

const asks = (
  store: CapacityStore,
  pool: string | undefined,
  tokens: number,
  bounds: readonly PoolBounds[] = pools,
): Promise<ReserveReply> =>
  store.reserve(request(tokens, [total], { pool: { connectionId, limit, pool, pools: bounds } }));

const stateOf = async (store: CapacityStore) => {
  const state = await store.readPools(environmentId, connectionId, 30);
  ok(state);
  return state;
};

const shareOf = async (store: CapacityStore, pool: string): Promise<PoolShare> => {
  const share = (await stateOf(store)).pools.find(({ name }) => name === pool);
  ok(share);
  return share;
};

/** Puts shares in percent in place of those there are. */
const allocate = async (store: CapacityStore, shares: Readonly<Record<string, number>>) => {
  const { version } = await store.readPools(environmentId, connectionId, 30) ?? { version: 0 };
  ok(
    await store.casShares({
      environmentId,
      connectionId,
      version,
      shares: Object.entries(shares).map(([name, percent]) => ({
        name,
        current: percent * 1000,
        lastGrowthAt: 0,
      })),
    }),
  );
};

const rulesOf = (reply: ReserveReply): string[] =>
  reply.admitted
    ? []
    : reply.refused.map((refusal) =>
      refusal.gate === "prioritization" ? refusal.rule : refusal.axis
    );

/** The pool gate: shares, maximums, protected minimums; demand; shares stored by version. */
export const poolCases: readonly StoreCase[] = [
  {
    name: "begins pools at their minimum and grows a share by what a request needs, rounded up",
    async run(store, { now }) {
      equal(await store.readPools(environmentId, connectionId, 30), undefined);
      ok((await asks(store, "chat", 50_000)).admitted);
      equal((await shareOf(store, "chat")).current, 50_000);
      equal((await shareOf(store, "chat")).lastGrowthAt, 0);
      ok((await asks(store, "docs", 1)).admitted);
      const docs = await shareOf(store, "docs");
      equal(docs.current, 1);
      ok(Math.abs(docs.lastGrowthAt - now()) < 5_000);
      ok((await asks(store, "docs", 12_344)).admitted);
      equal((await shareOf(store, "docs")).current, 12_345);
      const uneven = meter({ subjectId: "c7", tokens: 7 });
      const gate = { connectionId: "c7", limit: 7, pool: "docs", pools };
      await reserved(store, 1, [uneven], { pool: gate });
      const state = await store.readPools(environmentId, "c7", 30);
      // A seventh is 14.285714... percent.
      equal(state?.pools.find(({ name }) => name === "docs")?.current, 14_286);
    },
  },
  {
    name: "refuses what needs more share than is free, and counts it as demand",
    async run(store) {
      await allocate(store, { chat: 90, docs: 10 });
      ok((await asks(store, "docs", 9_800)).admitted);
      const before = await stateOf(store);
      const reply = await asks(store, "docs", 500);
      ok(!reply.admitted);
      const expected: Refusal = {
        gate: "prioritization",
        rule: "share",
        pool: "docs",
        current: 10_000,
        min: 0,
        max: 50_000,
        used: 9_800,
        others: [{ name: "chat", rank: 0, min: 50_000, max: 100_000, current: 90_000 }] as never,
      };
      deepEqual(reply.refused, [expected]);
      const after = await stateOf(store);
      equal(after.version, before.version);
      const docs = await shareOf(store, "docs");
      deepEqual([docs.current, docs.usedThisMinute, docs.deniedThisMinute, docs.demand], [
        10_000,
        9_800,
        1,
        10_300,
      ]);
    },
  },
  {
    name: "grows a share at once from what is free",
    async run(store) {
      await allocate(store, { chat: 60, docs: 20 });
      ok((await asks(store, "docs", 19_900)).admitted);
      const { version } = await stateOf(store);
      ok((await asks(store, "docs", 500)).admitted);
      equal((await shareOf(store, "docs")).current, 20_400);
      ok((await stateOf(store)).version > version);
    },
  },
  {
    name: "refuses what would pass a maximum",
    async run(store) {
      ok((await asks(store, "docs", 50_000)).admitted);
      deepEqual(rulesOf(await asks(store, "docs", 1)), ["maximum", "protected-minimum"]);
      const open = poolsOf({ docs: [0, 50] });
      deepEqual(rulesOf(await asks(store, "docs", 1, open)), ["maximum"]);
      equal((await shareOf(store, "docs")).current, 50_000);
    },
  },
  {
    name: "keeps unused minimums free from every other pool and from traffic of no pool",
    async run(store) {
      ok((await asks(store, undefined, 50_000)).admitted);
      const reply = await asks(store, undefined, 1);
      ok(!reply.admitted);
      const [refusal] = reply.refused;
      ok(refusal?.gate === "prioritization");
      deepEqual([refusal.rule, refusal.pool, refusal.current, refusal.others.length], [
        "protected-minimum",
        undefined,
        0,
        2,
      ]);
      deepEqual(rulesOf(await asks(store, "docs", 1)), ["protected-minimum"]);
      equal((await shareOf(store, "docs")).current, 0);
      equal((await stateOf(store)).unassignedUsed, 50_000);
      // What a minimum protects is there for its pool.
      ok((await asks(store, "chat", 50_000)).admitted);
    },
  },
  {
    name: "names every rule and limit that refused at once",
    async run(store) {
      ok((await asks(store, undefined, 50_000)).admitted);
      deepEqual(rulesOf(await asks(store, "docs", 60_000)), [
        "tokens",
        "maximum",
        "protected-minimum",
      ]);
    },
  },
  {
    name: "changes no share when a limit refuses",
    async run(store) {
      ok((await asks(store, "docs", 1_000)).admitted);
      const before = await stateOf(store);
      const gate = { connectionId, limit, pool: "docs", pools };
      const key = meter({ level: "api-key", subjectId: "k", requests: 0 });
      const reply = await store.reserve(request(1_000, [total, key], { pool: gate }));
      deepEqual(rulesOf(reply), ["requests"]);
      deepEqual({ ...await stateOf(store), now: 0 }, { ...before, now: 0 });
    },
  },
  {
    name: "gives tokens and demand back with the reservation",
    async run(store) {
      const gate = { connectionId, limit, pool: "chat", pools };
      const released = await reserved(store, 1_000, [total], { pool: gate });
      const settled = await reserved(store, 1_000, [total], { pool: gate });
      await store.release(environmentId, released);
      await store.settle(environmentId, settled, { requests: 1, tokens: 1_200 });
      const chat = await shareOf(store, "chat");
      deepEqual([chat.usedThisMinute, chat.demand], [1_200, 1_200]);
    },
  },
  {
    name: "holds shares to bounds that have changed",
    async run(store) {
      await allocate(store, { chat: 10, docs: 80 });
      ok((await asks(store, "chat", 50_000)).admitted, "a minimum holds at once");
      deepEqual(rulesOf(await asks(store, "docs", 50_001)).slice(0, 1), ["tokens"]);
      deepEqual(rulesOf(await asks(store, "docs", 40_000)), []);
      deepEqual(rulesOf(await asks(store, "docs", 10_001)), [
        "tokens",
        "maximum",
        "protected-minimum",
      ]);
    },
  },
  {
    name: "stores shares only over the version that was read",
    async run(store) {
      ok((await asks(store, "docs", 1_000)).admitted);
      const { version } = await stateOf(store);
      const lastMove = { action: "up", reason: "grew 1 point: “more”", at: 17 } as const;
      const change = {
        environmentId,
        connectionId,
        version,
        shares: [{ name: "chat", current: 60_000, lastGrowthAt: 17, lastMove }],
      };
      equal(await store.casShares({ ...change, version: version + 1 }), false);
      equal(await store.casShares(change), true);
      equal(await store.casShares(change), false);
      const chat = await shareOf(store, "chat");
      deepEqual([chat.current, chat.lastGrowthAt, chat.lastMove], [60_000, 17, lastMove]);
      const docs = await shareOf(store, "docs");
      deepEqual([docs.current, docs.usedThisMinute], [0, 1_000]);
    },
  },
  {
    name: "lets one of many changes of shares at once take effect",
    async run(store) {
      await allocate(store, { chat: 50, docs: 0 });
      const { version } = await stateOf(store);
      const shares = [{ name: "chat", current: 70_000, lastGrowthAt: 1 }];
      const changes = await Promise.all(
        Array.from(
          { length: 20 },
          () => store.casShares({ environmentId, connectionId, version, shares }),
        ),
      );
      equal(changes.filter(Boolean).length, 1);
    },
  },
  {
    name: "refuses a gate without the connection's minute meter, or for a pool it does not list",
    async run(store) {
      const gate = { connectionId, limit, pool: "chat", pools };
      await rejects(store.reserve(request(1, [], { pool: gate })), RangeError);
      const unknown = { ...gate, pool: "nobody" };
      await rejects(store.reserve(request(1, [total], { pool: unknown })), RangeError);
    },
  },
  {
    name: "forgets use with its minute, and demand with its window",
    turns: true,
    async run(store, { turn }) {
      ok((await asks(store, "docs", 1_000)).admitted);
      turn(25_000);
      ok((await asks(store, "docs", 500)).admitted);
      turn(10_000);
      equal((await shareOf(store, "docs")).demand, 500);
      const wide = await store.readPools(environmentId, connectionId, 60);
      equal(wide?.pools.find(({ name }) => name === "docs")?.demand, 1_500);
      turn(60_000);
      const docs = await shareOf(store, "docs");
      deepEqual([docs.demand, docs.usedThisMinute, docs.current], [0, 0, 1_500]);
    },
  },
];
