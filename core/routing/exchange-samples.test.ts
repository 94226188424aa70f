import { afterEach, expect, test } from "vitest";
import type { SharedState } from "../contract/index.ts";
import { silentLog } from "../store/testing.ts";
import { exchangeSamples } from "./exchange-samples.ts";
import { createLiveSamples, type LiveSamples, type SampleSubject } from "./live-samples.ts";

/** What several processes share, in one process; it can be away. */
function createState() {
  const values = new Map<string, string>();
  const leases = new Map<string, string>();
  const listeners = new Map<string, Set<(message: string) => void>>();
  const state = { isAway: false, isMute: false };
  const step = <Result>(run: () => Result): Promise<Result> =>
    state.isAway ? Promise.reject(new Error("it is away")) : Promise.resolve().then(run);
  const shared: Partial<SharedState> = {
    shared: true,
    get: (key) => step(() => values.get(key)),
    set: (key, value) => step(() => void values.set(key, value)),
    lease: (name, owner) =>
      step(() => {
        if (!leases.has(name)) leases.set(name, owner);
        return leases.get(name) === owner;
      }),
    release: (name, owner) =>
      step(() => {
        if (leases.get(name) === owner) leases.delete(name);
      }),
    publish: (channel, message) =>
      step(() => {
        if (state.isMute) throw new Error("it is mute");
        for (const listener of listeners.get(channel) ?? []) {
          queueMicrotask(() => listener(message));
        }
      }),
    subscribe: (channel, listener) =>
      step(() => {
        const heard = listeners.get(channel) ?? new Set();
        listeners.set(channel, heard.add(listener));
        return () => Promise.resolve(void heard.delete(listener));
      }),
  };
  return Object.assign(state, {
    values,
    shared: shared as SharedState,
  });
}

const subject: SampleSubject = {
  environmentId: "e",
  resourceId: "r",
  connectionId: "c",
  model: "m",
};
const startMs = Date.UTC(2026, 0, 1, 12, 0, 30);
const leaving: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const leave of leaving.splice(0)) await leave();
});

let made = 0;
function join(state: ReturnType<typeof createState>, now: () => number = () => startMs) {
  const samples = createLiveSamples({ now, monotonic: now });
  const leave = exchangeSamples({
    samples,
    sharedState: () => Promise.resolve(state.shared),
    processId: `p${++made}`,
    log: silentLog,
    intervalMs: 5,
  });
  leaving.push(leave);
  return { samples, leave };
}

const counted = (samples: LiveSamples) => samples.counts(subject, 180, "any");
const patience = { timeout: 10_000, interval: 5 };
const note = (samples: LiveSamples, succeeded: number, failed: number) => {
  for (let at = 0; at < succeeded; at++) samples.note(subject, 200, 100);
  for (let at = 0; at < failed; at++) samples.note(subject, 503);
};
/** Waits until what is kept of the present hour has so many calls. */
const kept = (state: ReturnType<typeof createState>) => {
  const changes = [...state.values.values()].flatMap((text) => JSON.parse(text));
  return changes.flatMap(({ statuses }) => Object.values(statuses) as number[])
    .reduce((sum, count) => sum + count, 0);
};

test("who joins later knows what the others noted before, and counts nothing twice", async () => {
  const state = createState();
  const [one, two] = [join(state), join(state)];
  note(one.samples, 3, 1);
  note(two.samples, 0, 4);
  const all = { succeeded: 3, failed: 5 };
  await expect.poll(() => [counted(one.samples), counted(two.samples)], patience)
    .toEqual([all, all]);
  await expect.poll(() => kept(state), patience).toBe(8);
  const late = join(state);
  await expect.poll(() => counted(late.samples), patience).toEqual(all);
  expect(late.samples.latency(subject, 50, 10)).toBe(one.samples.latency(subject, 50, 10));
  note(two.samples, 0, 1);
  note(late.samples, 1, 0);
  for (const { samples } of [one, two, late]) {
    await expect.poll(() => counted(samples), patience).toEqual({ succeeded: 4, failed: 6 });
  }
});

test("the history outlives every process, and another one goes on writing it", async () => {
  const state = createState();
  const first = join(state);
  note(first.samples, 2, 1);
  await expect.poll(() => kept(state), patience).toBe(3);
  note(first.samples, 0, 1);
  await first.leave();
  expect(kept(state)).toBe(4);
  const laterMs = startMs + 20 * 60_000;
  const second = join(state, () => laterMs);
  await expect.poll(() => counted(second.samples), patience).toEqual({ succeeded: 2, failed: 2 });
  expect(second.samples.counts(subject, 10, "any")).toEqual({ succeeded: 0, failed: 0 });
  note(second.samples, 1, 0);
  await expect.poll(() => kept(state), patience).toBe(5);
  const third = join(state, () => laterMs + 160 * 60_000);
  await expect.poll(() => counted(third.samples), patience).toEqual({ succeeded: 1, failed: 0 });
});

test("what was noted while the shared state was away is told and kept afterwards, once", async () => {
  const state = createState();
  const [one, two] = [join(state), join(state)];
  note(one.samples, 1, 0);
  await expect.poll(() => kept(state), patience).toBe(1);
  await expect.poll(() => counted(two.samples), patience).toEqual({ succeeded: 1, failed: 0 });
  state.isAway = true;
  note(one.samples, 0, 2);
  note(two.samples, 0, 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(counted(two.samples)).toEqual({ succeeded: 1, failed: 1 });
  state.isAway = false;
  const all = { succeeded: 1, failed: 3 };
  for (const { samples } of [one, two]) {
    await expect.poll(() => counted(samples), patience).toEqual(all);
  }
  await expect.poll(() => kept(state), patience).toBe(4);
  const late = join(state);
  await expect.poll(() => counted(late.samples), patience).toEqual(all);
});

test("what could be neither told nor written is told and written later", async () => {
  const state = createState();
  const [one, two] = [join(state), join(state)];
  state.isMute = true;
  note(one.samples, 0, 3);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect([counted(two.samples).failed, kept(state)]).toEqual([0, 0]);
  state.isMute = false;
  await expect.poll(() => [counted(two.samples).failed, kept(state)], patience).toEqual([3, 3]);
});

test("who leaves while the shared state is away does not wait for it", async () => {
  const state = createState();
  const one = join(state);
  note(one.samples, 1, 0);
  await expect.poll(() => kept(state), patience).toBe(1);
  state.isAway = true;
  await one.leave();
});

test("what is kept and cannot be read is left out", async () => {
  const state = createState();
  const minute = Math.floor(startMs / 60_000);
  state.values.set(`routing-samples:${minute}`, "{broken");
  const one = join(state);
  note(one.samples, 1, 0);
  await expect.poll(() => kept(state), patience).toBe(1);
});
