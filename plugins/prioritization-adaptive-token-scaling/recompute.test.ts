import type { Allocation, PoolBounds, PoolState } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { inputOf, pool, stateOf } from "./examples.ts";
import { recompute } from "./recompute.ts";

/** Runs a table of moments and demand; each row of the answer: shares and free in percent. */
function walk(
  pools: readonly PoolBounds[],
  limit: number,
  moments: readonly (readonly [seconds: number, ...demand: number[]])[],
): { rows: number[][]; allocations: Allocation[] } {
  let state: PoolState = stateOf(0, []);
  const rows: number[][] = [];
  const allocations: Allocation[] = [];
  for (const [seconds, ...demand] of moments) {
    const now = 1_800_000_000_000 + seconds * 1000;
    const known = new Map(state.pools.map((share) => [share.name, share]));
    state = {
      ...stateOf(now, []),
      pools: pools.map(({ name, min }, index) => ({
        name,
        current: known.get(name)?.current ?? min,
        lastGrowthAt: known.get(name)?.lastGrowthAt ?? 0,
        usedThisMinute: 0,
        deniedThisMinute: 0,
        demand: demand[index]!,
      })),
    };
    const next = recompute(inputOf(pools, state, limit));
    allocations.push(next);
    rows.push([...next.shares.map(({ current }) => current / 1000), next.free / 1000]);
    const pairs = state.pools.map((share, index) => ({ ...share, ...next.shares[index]! }));
    state = { ...state, pools: pairs };
  }
  return { rows, allocations };
}

test("two pools share 100 000 tokens per minute as the table of the specification says", () => {
  const { rows, allocations } = walk([pool("chat", 0, 50, 100), pool("docs", 1, 0, 50)], 100_000, [
    [0, 20_000, 0],
    [1, 20_000, 8_000],
    [2, 30_000, 25_000],
    [3, 45_000, 30_000],
    [4, 60_000, 30_000],
    [12, 30_000, 10_000],
    [20, 10_000, 30_000],
  ]);
  expect(rows).toEqual([
    [50, 0, 50],
    [50, 16, 34],
    [60, 40, 0],
    [90, 10, 0],
    [100, 0, 0],
    [60, 20, 20],
    [50, 50, 0],
  ]);
  const targets = allocations.map(({ shares }) => shares.map(({ target }) => target / 1000));
  expect(targets).toEqual([[50, 0], [50, 16], [60, 50], [90, 50], [100, 50], [60, 20], [50, 50]]);
  const told = allocations.map(({ shares }) => shares.map(({ reason }) => reason));
  expect(told[0]![0]).toBe(
    "keeps 50 %: 40 % would do for demand 20 000 tokens in 30 s, but it is the minimum",
  );
  expect(told[2]![1]).toBe(
    "grew 24 points: demand 25 000 tokens in 30 s is above 50 % of its share; taken from free share, " +
      "10 points more could not be had",
  );
  expect(told[3]).toEqual([
    "grew 30 points: demand 45 000 tokens in 30 s is above 50 % of its share; taken from docs",
    "gave 30 points to chat, which comes before it",
  ]);
  expect(told[4]![1]).toBe("gave 10 points to chat, which comes before it");
  expect(told[5]![0]).toBe("released 40 points: 60 % is enough for demand 30 000 tokens in 30 s");
  const actions = allocations.map(({ shares }) => shares.map(({ action }) => action));
  expect(actions).toEqual([
    ["none", "none"],
    ["none", "up"],
    ["up", "up"],
    ["up", "down"],
    ["up", "down"],
    ["down", "up"],
    ["down", "up"],
  ]);
});

test("three pools share 200 000 tokens per minute as the table of the specification says", () => {
  const pools = [pool("live", 0, 30, 80), pool("team", 1, 20, 60), pool("jobs", 2, 0, 100)];
  const { rows, allocations } = walk(pools, 200_000, [
    [0, 10_000, 10_000, 80_000],
    [1, 10_000, 50_000, 80_000],
    [2, 70_000, 50_000, 80_000],
    [3, 90_000, 50_000, 80_000],
    [10, 20_000, 50_000, 80_000],
  ]);
  expect(rows).toEqual([
    [30, 20, 50, 0],
    [30, 50, 20, 0],
    [70, 30, 0, 0],
    [80, 20, 0, 0],
    [30, 50, 20, 0],
  ]);
  expect(allocations[2]!.shares[0]!.reason).toContain("taken from jobs and team");
});

test("targets are rounded up to the stored unit", () => {
  // 100 x 1 / (3 x 0.5) = 66.666...
  const state = stateOf(0, [{ name: "a", current: 0, demand: 1 }]);
  expect(recompute(inputOf([pool("a", 0, 0, 100)], state, 3)).shares[0]!.current).toBe(66_667);
});

test("a share less than one point above its target stays, and so does one that grew within the cooldown", () => {
  const pools = [pool("a", 0, 0, 100), pool("b", 0, 0, 100)];
  const now = 1_800_000_000_000;
  const next = recompute(inputOf(
    pools,
    stateOf(now, [
      { name: "a", current: 10.999, demand: 5_000 },
      { name: "b", current: 60, demand: 5_000, lastGrowthAt: now - 4_999 },
    ]),
  ));
  expect(next.shares.map(({ current }) => current)).toEqual([10_999, 60_000]);
  expect(next.shares[1]!.reason).toBe(
    "keeps 60 %: 10 % would do for demand 5 000 tokens in 30 s, but it grew 4 s ago and rests for 5 s",
  );
  const later = recompute(inputOf(
    pools,
    stateOf(now + 1, [
      { name: "a", current: 11, demand: 5_000 },
      { name: "b", current: 60, demand: 5_000, lastGrowthAt: now - 4_999 },
    ]),
  ));
  expect(later.shares.map(({ current }) => current)).toEqual([10_000, 10_000]);
});

test("equal ranks: the earlier pool is served first, and neither takes from the other", () => {
  const pools = [pool("a", 1, 0, 100), pool("b", 1, 0, 100)];
  const state = stateOf(0, [
    { name: "a", current: 10, demand: 50_000 },
    { name: "b", current: 60, demand: 50_000 },
  ]);
  const { shares, free } = recompute(inputOf(pools, state));
  expect(shares.map(({ current }) => current)).toEqual([40_000, 60_000]);
  expect(free).toBe(0);
});

test("new pools start at their minimum, removed ones vanish, changed bounds move the share", () => {
  const now = 1_800_000_000_000;
  const state = stateOf(now, [
    { name: "gone", current: 30 },
    { name: "first", current: 20, demand: 1 },
    { name: "last", current: 50, lastGrowthAt: now },
  ]);
  const next = recompute(inputOf(
    [pool("last", 9, 0, 100), pool("first", 0, 45, 100), pool("new", 1, 25, 30)],
    state,
  ));
  expect(next.shares.map(({ name, current }) => [name, current])).toEqual([
    ["last", 30_000],
    ["first", 45_000],
    ["new", 25_000],
  ]);
  expect(next.shares.map(({ reason }) => reason)).toEqual([
    "gave up 20 points: the definition changed and the shares came to more than 100 %",
    "raised 25 points to its minimum of 45 %: the definition changed",
    "keeps 25 %: 0 % would do for demand 0 tokens in 30 s, but it is the minimum",
  ]);
});

test("a single token of demand on a huge limit, and a huge demand on a single token, stay within the bounds", () => {
  const pools = [pool("a", 0, 0, 100)];
  const share = (demand: number, limit: number) =>
    recompute(inputOf(pools, stateOf(0, [{ name: "a", current: 0, demand }]), limit)).shares[0]!
      .current;
  expect(share(1, Number.MAX_SAFE_INTEGER)).toBe(1);
  expect(share(Number.MAX_SAFE_INTEGER, 1)).toBe(100_000);
});
