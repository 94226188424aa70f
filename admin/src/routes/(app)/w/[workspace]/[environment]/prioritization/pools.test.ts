import type { Pool } from "@vmx/sdk";
import { expect, test } from "vitest";
import { byRank, poolFaults, renumbered, sumOfMinimums } from "./pools.ts";

const pool = (name: string, min: number, max: number, ...resources: string[]): Pool => ({
  name,
  rank: 0,
  minReservation: min,
  maxReservation: max,
  resources,
});

test("pools are checked as the gateway checks them", () => {
  expect(poolFaults([pool("chat", 50, 100, "a"), pool("docs", 0, 50, "b")])).toEqual({});
  expect(poolFaults([
    pool("chat", 60, 50, "a"),
    pool("Chat", 50, 120, "a"),
    pool(" ", NaN, 50),
  ])).toEqual({
    "/definition/0/minReservation": "is more than the maximum of 50 %",
    "/definition/1/name": "is the name of a pool above",
    "/definition/1/maxReservation": "must be from 0 to 100 %",
    "/definition/1/resources": "holds a resource of chat",
    "/definition/2/name": "needs a name",
    "/definition/2/minReservation": "must be from 0 to 100 %",
    "/definition": "All minimums together are 110 %, more than there is",
  });
});

test("the order of pools is their rank", () => {
  const pools = renumbered([pool("b", 0.1, 1), pool("a", 0.2, 1)]);
  expect(pools.map(({ rank }) => rank)).toEqual([0, 1]);
  expect(byRank(pools.toReversed()).map(({ name }) => name)).toEqual(["b", "a"]);
  expect(sumOfMinimums(pools)).toBe(0.3);
});
