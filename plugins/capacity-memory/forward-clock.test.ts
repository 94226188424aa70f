import type { Meter } from "@vmx/core/contract";
import { expect, test } from "vitest";
import { createForwardClock } from "./forward-clock.ts";
import { createMemoryStore } from "./memory-store.ts";

const start = Date.parse("2026-03-31T12:00:30.000Z");

function createSystemClock() {
  const system = { wall: start, monotonic: 0 };
  const clock = { now: () => system.wall, monotonic: () => system.monotonic };
  const pass = (ms: number) => {
    system.wall += ms;
    system.monotonic += ms;
  };
  return { system, clock: createForwardClock(clock), pass };
}

test("time follows the system, and goes on at its own pace where that jumps back", () => {
  const { system, clock, pass } = createSystemClock();
  expect(clock.now()).toBe(start);
  system.wall -= 3_600_000;
  expect(clock.now()).toBe(start);
  pass(20_000.5);
  pass(20_000);
  expect(clock.now()).toBe(start + 40_000);
  // The system is set right again, and once more far ahead.
  system.wall = start + 41_000;
  expect(clock.now()).toBe(start + 41_000);
  system.wall += 86_400_000;
  expect(clock.now()).toBe(start + 41_000 + 86_400_000);
});

test("a window that was used up stays so when the clock jumps back, and the next one opens in time", async () => {
  const { system, clock, pass } = createSystemClock();
  const store = createMemoryStore(clock);
  const meter: Meter = {
    level: "resource",
    subjectId: "r",
    period: "minute",
    limit: { requests: 1, tokens: null },
  };
  let asked = 0;
  const ask = async () => {
    const reply = await store.reserve({
      environmentId: "e",
      reservationId: `${asked++}`,
      processId: "p",
      ttlMs: 60_000,
      amount: { requests: 1, tokens: 0 },
      meters: [meter],
    });
    return reply.admitted;
  };
  expect(await ask()).toBe(true);
  expect(await ask()).toBe(false);
  for (const jump of [120_000, 86_400_000]) {
    system.wall -= jump;
    expect(await ask()).toBe(false);
  }
  pass(60_000);
  expect(await ask()).toBe(true);
  expect(await ask()).toBe(false);
  store.close();
});
