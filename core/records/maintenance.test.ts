import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SharedState } from "../contract/index.ts";
import { silentLog } from "../store/testing.ts";
import { startMaintenance } from "./maintenance.ts";
import type { ClassDay, Partitions } from "./partitions.ts";

const now = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ now }));
afterEach(() => void vi.useRealTimers());

/** Processes that share a lease and a database which notes what is done to it. */
function start(failing: Partial<Record<"ensure" | "drop", boolean>> = {}) {
  const done: string[] = [];
  const days: ClassDay[] = [];
  let holder: string | undefined;
  const partitions: Partitions = {
    ensure: (wanted) => {
      days.push(...wanted);
      done.push("ensure");
      return failing.ensure ? Promise.reject(new Error("no")) : Promise.resolve();
    },
    dropExpired: (at) => {
      done.push(`drop ${at - now}`);
      return failing.drop ? Promise.reject(new Error("no")) : Promise.resolve([]);
    },
  };
  const sharedState = {
    lease: (_name: string, owner: string) => Promise.resolve((holder ??= owner) === owner),
  } as Partial<SharedState> as SharedState;
  const process = () =>
    startMaintenance({
      partitions,
      classesInUse: () => [{ kind: "audit", retentionClass: 30 }],
      prune: (at) => Promise.resolve(void done.push(`prune ${at - now}`)),
      sharedState: () => Promise.resolve(sharedState),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      log: silentLog,
    });
  return { done, days, process };
}

test("one of all processes prepares days, drops what is over and prunes, soon and then every hour", async () => {
  const { done, days, process } = start();
  const stops = [process(), process()];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(done).toEqual(["ensure", "drop 10000", "prune 10000"]);
  expect(days.map(({ at }) => (at - now - 10_000) / (24 * hourMs))).toEqual([0, 1, 2]);
  await vi.advanceTimersByTimeAsync(hourMs - 10_000);
  expect(done.slice(3)).toEqual(["ensure", `drop ${hourMs}`, `prune ${hourMs}`]);
  await Promise.all(stops.map((stop) => stop()));
  await vi.advanceTimersByTimeAsync(2 * hourMs);
  expect(done).toHaveLength(6);
});

test("what fails keeps none of the rest from being done", async () => {
  const { done, process } = start({ ensure: true, drop: true });
  const stop = process();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(done).toEqual(["ensure", "drop 10000", "prune 10000"]);
  await stop();
});
