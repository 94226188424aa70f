import { expect, test } from "vitest";
import type { PoolGate } from "../contract/index.ts";
import { createLocalPools, type KnownShares } from "./local-pools.ts";

/* The pool gate while the store is away. */

const chat = { name: "chat", rank: 0, min: 50_000, max: 100_000 };
const docs = { name: "docs", rank: 1, min: 0, max: 40_000 };
const gate = (pool: string | undefined, limit = 10_000): PoolGate => ({
  connectionId: "connection",
  limit,
  pool,
  pools: [chat, docs],
});

function createWorld() {
  const clock = { now: Date.UTC(2026, 0, 1, 12) };
  const pools = createLocalPools(() => clock.now);
  let total = 0;
  /** Tokens a pool is given when it asks again and again for `step`. */
  const fill = (pool: string | undefined, known?: KnownShares, step = 100): number => {
    for (let given = 0;; given += step) {
      const passage = pools.pass(gate(pool), step, total, known);
      if (passage.refused.length > 0) return given;
      passage.take();
      total += step;
    }
  };
  return { clock, pools, fill, nextMinute: () => (clock.now += 60_000, total = 0) };
}

test("a pool keeps the share it had when nothing is free, and its minimum waits for it", () => {
  const { fill } = createWorld();
  const known = [{ name: "chat", current: 90_000 }, { name: "docs", current: 10_000 }];
  expect(fill("docs", known)).toBe(1_000);
  expect(fill("chat", known)).toBe(9_000);
});

test("free share is lent up to the maximum, and other minimums stay free from everybody", () => {
  const { fill, nextMinute } = createWorld();
  const known = [{ name: "chat", current: 50_000 }, { name: "docs", current: 0 }];
  expect(fill("docs", known)).toBe(4_000);
  expect(fill(undefined, known)).toBe(1_000);
  expect(fill("chat", known)).toBe(5_000);
  nextMinute();
  expect(fill(undefined, known)).toBe(5_000);
});

test("without known shares every pool begins at its minimum, and newer shares begin anew", () => {
  const { fill, nextMinute } = createWorld();
  expect(fill("chat")).toBe(10_000);
  nextMinute();
  expect(fill("docs")).toBe(0);
  expect(fill("docs", [{ name: "chat", current: 70_000 }, { name: "docs", current: 30_000 }]))
    .toBe(3_000);
});

test("a refusal names its rule with the shares the process knows", () => {
  const { pools } = createWorld();
  const known = [{ name: "chat", current: 60_000 }, { name: "docs", current: 40_000 }];
  expect(pools.pass(gate("docs"), 4_100, 0, known).refused).toEqual([{
    gate: "prioritization",
    rule: "maximum",
    pool: "docs",
    current: 40_000,
    min: 0,
    max: 40_000,
    used: 0,
    others: [{ ...chat, current: 60_000 }],
  }]);
});

test("what was reserved too much is corrected in the pool", () => {
  const { pools } = createWorld();
  const correct = pools.pass(gate("docs"), 4_000, 0, undefined).take();
  expect(pools.pass(gate("docs"), 100, 4_000, undefined).refused).toHaveLength(1);
  correct(-1_000);
  expect(pools.pass(gate("docs"), 1_000, 3_000, undefined).refused).toEqual([]);
});
