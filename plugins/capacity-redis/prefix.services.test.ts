import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CapacityStore, Meter } from "@vmx/core/contract";
import { openRedis, type RedisConnection } from "@vmx/shared-state-redis/connection";

import { createRedisStore } from "./redis-store.ts";
import { listeningLog } from "./testing.ts";

/* Two installations on one Redis, of which one began as a copy of the other: all ids are the same. */

const meter: Meter = {
  level: "connection",
  subjectId: "c",
  period: "lifetime",
  limit: { requests: 2, tokens: null },
};
const connections: RedisConnection[] = [];
let one: CapacityStore;
let other: CapacityStore;

beforeAll(async () => {
  [one, other] = await Promise.all(["live", "copy-of.live"].map(async (prefix) => {
    const url = process.env["VMX_TEST_REDIS_URL"];
    const connection = await openRedis({ url, prefix }, listeningLog().log);
    connections.push(connection);
    expect(await connection.ready(5_000)).toBe(true);
    return createRedisStore(connection);
  })) as [CapacityStore, CapacityStore];
  await connections[0]!.client.flushdb();
});
afterAll(async () => {
  for (const store of [one, other]) await store.close();
});

const reserve = async (store: CapacityStore, reservationId: string): Promise<boolean> =>
  (await store.reserve({
    environmentId: "env",
    reservationId,
    processId: "p",
    ttlMs: 60_000,
    amount: { requests: 1, tokens: 5 },
    meters: [meter],
  })).admitted;
const used = async (store: CapacityStore) => (await store.read("env", [meter]))[0]!.used.requests;

test("limits, copies and resets of one leave the other as it is", async () => {
  expect(await one.restore("env", [])).toBe(true);
  expect(await other.dump("env")).toBeUndefined();
  expect([await reserve(one, "a"), await reserve(one, "b"), await reserve(one, "c")])
    .toEqual([true, true, false]);
  expect(await reserve(other, "a")).toBe(true);
  expect([await used(one), await used(other)]).toEqual([2, 1]);
  expect(await other.expire("env", ["p"])).toBe(1);
  expect([await used(one), await used(other)]).toEqual([2, 0]);
  await other.reset("env", meter);
  expect(await used(one)).toBe(2);
});

test("all keys of an environment lie in one slot, whatever the prefix", async () => {
  const names = await connections[0]!.client.keys("*");
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !/^(live|copy-of\.live):\{env\}:/.test(name))).toEqual([]);
});

test("rights on the names that begin with the prefix are enough, and keep others out", async () => {
  const admin = connections[0]!.client;
  const rights = ["~live:*", "&live:*", "+@all", "-@admin", "-@dangerous", "+info"];
  await admin.acl("SETUSER", "narrow-store", "on", ">narrow-password", ...rights);
  const url = new URL(process.env["VMX_TEST_REDIS_URL"]!);
  Object.assign(url, { username: "narrow-store", password: "narrow-password" });
  const open = async (prefix: string) => {
    const connection = await openRedis({ url: url.href, prefix }, listeningLog().log);
    expect(await connection.ready(5_000)).toBe(true);
    return createRedisStore(connection);
  };
  const stores = [await open("live"), await open("copy-of.live")] as const;
  try {
    expect(await used(stores[0])).toBe(2);
    expect(await reserve(stores[0], "d")).toBe(false);
    expect(await stores[0].dump("env")).toHaveLength(1);
    await expect(used(stores[1])).rejects.toThrow(/NOPERM|permission|access/i);
  } finally {
    for (const store of stores) await store.close();
    await admin.acl("DELUSER", "narrow-store");
  }
});
