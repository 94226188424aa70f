import { expect, test } from "vitest";
import type { SharedState } from "../contract/index.ts";
import { createLiveness } from "./liveness.ts";
import { createTestLog } from "./testing.ts";

function set() {
  const ages = new Map<string, number>();
  const expired: (readonly string[])[] = [];
  let away = false;
  const state = {
    heartbeat: (id: string) => Promise.resolve(void ages.set(id, 0)),
    processes: () => Promise.resolve([...ages].map(([processId, ageMs]) => ({ processId, ageMs }))),
  } as unknown as SharedState;
  const liveness = createLiveness({
    processId: "me",
    state: () => away ? Promise.reject(new Error("away")) : Promise.resolve(state),
    expire: (dead) => Promise.resolve(void expired.push(dead)),
    log: createTestLog(),
  });
  return { ages, expired, liveness, leave: () => void (away = true) };
}

test("a process whose heartbeat is missing for 30 s is dead, and its reservations are given back", async () => {
  const { ages, expired, liveness } = set();
  ages.set("other", 29_999);
  await liveness.beat();
  expect(liveness.replicas()).toBe(2);
  ages.set("other", 30_000);
  await liveness.beat();
  expect(liveness.replicas()).toBe(1);
  expect(expired).toEqual([[], ["other"]]);
});

test("while the shared state is away the last count holds and nobody is declared dead", async () => {
  const { ages, expired, liveness, leave } = set();
  ages.set("other", 0);
  await liveness.beat();
  ages.set("other", 90_000);
  leave();
  await liveness.beat();
  expect(liveness.replicas()).toBe(2);
  expect(expired).toEqual([[], []]);
});
