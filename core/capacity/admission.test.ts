import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { Clock, Meter } from "../contract/index.ts";
import { type Admission, type AdmissionParts, createAdmission } from "./admission.ts";
import { createCapacityView } from "./capacity-view.ts";
import { createDiscovered } from "./discovered.ts";
import { createFakeStore, createTestLog, type FakeStore } from "./testing.ts";

const environmentId = "e";
const meter: Meter = {
  level: "connection",
  subjectId: "c",
  period: "day",
  limit: { requests: 9, tokens: null },
};
const request = {
  environmentId,
  amount: { requests: 1, tokens: 100 },
  meters: [meter],
  pool: undefined,
  ttlMs: 60_000,
};

let admission: Admission | undefined;
afterEach(() => admission?.store.stop());

const clock: Clock = {
  now: () => Date.parse("2026-03-01T12:00:00Z"),
  monotonic: () => performance.now(),
};

/** An admission that is one of `replicas` processes, over a store in the test's hands. */
function set(parts: Partial<AdmissionParts> = {}) {
  const store = createFakeStore(clock);
  const log = createTestLog();
  const discovered = createDiscovered(clock);
  const view = createCapacityView({ clock, discovered, store: () => created.store });
  const created: Admission = createAdmission({
    store,
    processId: "p",
    onStoreFailure: "local",
    timeoutMs: 20,
    probePauseMs: 60,
    replicas: () => 1,
    lastSeen: (id, key) => view.last(id, key),
    onStates: (id, states) => view.note(id, states),
    clock,
    log,
    ...parts,
  });
  admission = created;
  return { store, log, admission: created };
}

const hang = () => new Promise<never>(() => {});
const fail = () => Promise.reject(new Error("connection refused"));
const usedIn = (store: FakeStore) => store.used.get("e connection c day");

async function open(one: Admission, store: FakeStore, how = fail) {
  store.before = how;
  await Promise.all(Array.from({ length: 5 }, () => one.reserve(request)));
  expect(one.state()).not.toBe("ok");
}

test(
  "one log line tells of each change: the breaker opens after 5 failures and closes after 3 answers",
  async () => {
    const { store, log, admission } = set();
    await open(admission, store);
    await Promise.all(Array.from({ length: 20 }, () => admission.reserve(request)));
    expect(log.lines).toEqual(["The capacity store does not answer; limits are kept without it"]);
    expect(store.calls.filter((call) => call.startsWith("reserve"))).toHaveLength(5);
    store.before = () => {};
    await expect.poll(() => admission.state(), { timeout: 3_000 }).toBe("ok");
    expect(log.lines).toEqual([
      "The capacity store does not answer; limits are kept without it",
      "The capacity store answers again",
    ]);
    const probes = store.calls.filter((call) => call === "read").length;
    expect(probes).toBeGreaterThanOrEqual(3);
  },
  10_000,
);

test("local: each process keeps its part of the limits, beginning with what it saw last", async () => {
  const { store, admission } = set({ replicas: () => 2 });
  // 4 of 9 are used: this process goes on from 2 of 4.
  for (let at = 0; at < 4; at++) await admission.reserve(request);
  store.before = fail;
  const replies = [];
  for (let at = 0; at < 6; at++) replies.push(await admission.reserve(request));
  expect(replies.map(({ result }) => result)).toEqual([
    "admitted",
    "admitted",
    "refused",
    "refused",
    "refused",
    "refused",
  ]);
  expect(replies[0]).toMatchObject({ degraded: true });
  expect(replies[2]).toMatchObject({
    refused: [{ gate: "capacity", axis: "requests", used: 4, meter: { limit: { requests: 4 } } }],
  });
});

test("local: a part is at least 1, however many processes share a limit", async () => {
  const { store, admission } = set({ replicas: () => 100 });
  store.before = fail;
  expect((await admission.reserve(request)).result).toBe("admitted");
  expect((await admission.reserve(request)).result).toBe("refused");
});

test.each(["local", "allow"] as const)(
  "%s: use of the absence is added to the store",
  async (onStoreFailure) => {
    const { store, admission } = set({ onStoreFailure });
    await open(admission, store);
    const reply = await admission.reserve(request);
    if (reply.result !== "admitted") throw new Error(reply.result);
    reply.lease.settle({ requests: 1, tokens: 70 });
    reply.lease.release();
    reply.lease.settle({ requests: 1, tokens: 5_000 });
    store.before = () => {};
    await expect.poll(() => usedIn(store), { timeout: 3_000 }).toEqual({ requests: 1, tokens: 70 });
  },
  10_000,
);

test("allow: nothing is refused while the store is away", async () => {
  const { store, admission } = set({ onStoreFailure: "allow" });
  store.before = fail;
  const replies = await Promise.all(Array.from({ length: 30 }, () => admission.reserve(request)));
  expect(new Set(replies.map(({ result }) => result))).toEqual(new Set(["admitted"]));
  expect(admission.state()).toBe("degraded");
});

test("deny: every leg with a limit is refused while the store is away", async () => {
  const { store, admission } = set({ onStoreFailure: "deny" });
  await open(admission, store);
  expect((await admission.reserve(request)).result).toBe("unavailable");
});

test("a store that hangs costs a request no more than its deadline", async () => {
  const { store, admission } = set();
  store.before = hang;
  const startedAt = performance.now();
  const reply = await admission.reserve(request);
  expect(reply).toMatchObject({ result: "admitted", degraded: true });
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test("what a late answer took is given back", async () => {
  const { store, admission } = set();
  store.before = () => delay(60);
  const reply = await admission.reserve(request);
  expect(reply).toMatchObject({ degraded: true });
  store.before = () => {};
  await expect.poll(() => store.calls.some((call) => call.startsWith("release"))).toBe(true);
  await expect.poll(() => store.open.size).toBe(0);
});

test("a settle the store missed is told when it answers again", async () => {
  const { store, admission } = set();
  const reply = await admission.reserve(request);
  if (reply.result !== "admitted") throw new Error(reply.result);
  store.before = fail;
  reply.lease.settle({ requests: 1, tokens: 40 });
  await admission.store.idle();
  expect(usedIn(store)).toEqual({ requests: 1, tokens: 100 });
  store.before = () => {};
  await expect.poll(() => usedIn(store), { timeout: 3_000 }).toEqual({ requests: 1, tokens: 40 });
});

test("a process busy with itself does not blame the store", async () => {
  const { store, log, admission } = set({ timeoutMs: 25 });
  // Answers come within 8 ms, and are read late because the loop is taken for 30 ms at a time.
  store.before = () => delay(8);
  let busy = true;
  const block = () => {
    const until = performance.now() + 30;
    while (performance.now() < until);
    if (busy) setTimeout(block, 1);
  };
  block();
  const replies = [];
  for (let at = 0; at < 5; at++) replies.push(await admission.reserve(request));
  busy = false;
  expect(replies.every((reply) => reply.result === "admitted" && !reply.degraded)).toBe(true);
  expect(log.lines).toEqual([]);
});

test("a figure the store refuses is no sign of its absence", async () => {
  const { store, admission } = set();
  store.before = () => Promise.reject(new RangeError("a limit is no whole number"));
  for (let at = 0; at < 8; at++) {
    await expect(admission.reserve(request)).rejects.toThrow(RangeError);
  }
  expect(admission.state()).toBe("ok");
});
