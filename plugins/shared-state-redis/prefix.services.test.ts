import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SharedState } from "@vmx/core/contract";
import { openRedis, type RedisConnection } from "./connection.ts";
import { createRedisState } from "./redis-state.ts";

/* Two installations on one Redis. */

const log = { debug() {}, info() {}, warn() {}, error() {} };
const connections: RedisConnection[] = [];
let one: SharedState;
let twin: SharedState;
let other: SharedState;

async function open(
  prefix?: string,
  url = process.env["VMX_TEST_REDIS_URL"],
): Promise<SharedState> {
  const connection = await openRedis({ url, ...(prefix && { prefix }) }, log);
  connections.push(connection);
  expect(await connection.ready(5_000)).toBe(true);
  return createRedisState(connection);
}

beforeAll(async () => {
  [one, twin, other] = await Promise.all([open("team-a"), open("team-a"), open("team-b")]);
  await connections[0]!.client.flushdb();
});
afterAll(async () => {
  for (const state of [one, twin, other]) await state.close();
});

test("values, counters, leases and heartbeats of one are nothing to the other", async () => {
  await one.set("key", "of one", 60_000);
  expect([await twin.get("key"), await other.get("key")]).toEqual(["of one", undefined]);
  await one.increment("count", 5, 60_000);
  expect(await other.increment("count", 1, 60_000)).toBe(1);
  expect(await one.lease("job", "owner", 60_000)).toBe(true);
  expect(await twin.lease("job", "twin", 60_000)).toBe(false);
  expect(await other.lease("job", "other", 60_000)).toBe(true);
  await other.release("job", "owner");
  expect(await twin.lease("job", "twin", 60_000)).toBe(false);
  await one.heartbeat("process");
  expect((await twin.processes()).map(({ processId }) => processId)).toEqual(["process"]);
  expect(await other.processes()).toEqual([]);
});

test("messages of one are not heard by the other", async () => {
  const heard: string[] = [];
  await other.subscribe("news", (message) => void heard.push(`other: ${message}`));
  await twin.subscribe("news", (message) => void heard.push(`twin: ${message}`));
  await one.publish("news", "of one");
  await other.publish("news", "of the other");
  await expect.poll(() => heard.toSorted()).toEqual(["other: of the other", "twin: of one"]);
});

test("every key and channel begins with the prefix", async () => {
  const { client } = connections[0]!;
  const names = await client.keys("*");
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !/^team-[ab]:/.test(name))).toEqual([]);
  const channels = (await client.pubsub("CHANNELS", "*team*")) as string[];
  expect(channels.toSorted()).toEqual(["team-a:state:news", "team-b:state:news"]);
});

test("without a prefix names begin as they always did", async () => {
  const plain = await open();
  await plain.set("key", "plain", 60_000);
  expect(await connections[0]!.client.keys("vmx:*")).toEqual(["vmx:state:value:key"]);
  await plain.close();
});

test("rights on the names that begin with the prefix are enough, and keep others out", async () => {
  const admin = connections[0]!.client;
  const rights = ["~team-a:*", "&team-a:*", "+@all", "-@admin", "-@dangerous", "+info"];
  await admin.acl("SETUSER", "narrow-state", "on", ">narrow-password", ...rights);
  const url = new URL(process.env["VMX_TEST_REDIS_URL"]!);
  Object.assign(url, { username: "narrow-state", password: "narrow-password" });
  const [own, foreign] = [await open("team-a", url.href), await open("team-b", url.href)];
  try {
    const heard: string[] = [];
    await own.subscribe("rights", (message) => void heard.push(message));
    await own.set("rights", "value", 60_000);
    expect(await own.increment("rights-count", 1, 60_000)).toBe(1);
    expect(await own.lease("rights", "owner", 60_000)).toBe(true);
    await own.heartbeat("process");
    await own.publish("rights", "heard");
    await expect.poll(() => heard).toEqual(["heard"]);
    await expect(foreign.get("key")).rejects.toThrow(/NOPERM/);
    await expect(foreign.publish("rights", "x")).rejects.toThrow(/NOPERM/);
    await expect(foreign.subscribe("rights", () => {})).rejects.toThrow(/NOPERM/);
  } finally {
    for (const state of [own, foreign]) await state.close();
    await admin.acl("DELUSER", "narrow-state");
  }
});
