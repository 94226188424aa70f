import { expect, test } from "vitest";
import { createBreaker } from "./breaker.ts";

function set() {
  const changes: boolean[] = [];
  const clock = { now: 0, monotonic: () => clock.now };
  return { clock, changes, breaker: createBreaker(clock, (open) => changes.push(open)) };
}

test("five failures within ten seconds open it, four or slower ones do not", () => {
  const { breaker, clock, changes } = set();
  for (let at = 0; at < 20; at++) {
    breaker.failed();
    clock.now += 2_501;
  }
  expect(breaker.isOpen()).toBe(false);
  clock.now += 10_000;
  for (let at = 0; at < 4; at++) breaker.failed();
  expect(breaker.isOpen()).toBe(false);
  breaker.failed();
  expect(breaker.isOpen()).toBe(true);
  breaker.failed();
  expect(changes).toEqual([true]);
});

test("an open one lets one call a second through and closes after three answers in a row", () => {
  const { breaker, clock, changes } = set();
  for (let at = 0; at < 5; at++) breaker.failed();
  expect(breaker.takeProbe()).toBe(false);
  clock.now += 999;
  expect(breaker.takeProbe()).toBe(false);
  clock.now += 1;
  expect(breaker.takeProbe()).toBe(true);
  expect(breaker.takeProbe()).toBe(false);
  breaker.succeeded();
  breaker.succeeded();
  breaker.failed();
  breaker.succeeded();
  breaker.succeeded();
  expect(breaker.isOpen()).toBe(true);
  breaker.succeeded();
  expect(breaker.isOpen()).toBe(false);
  expect(changes).toEqual([true, false]);
  breaker.failed();
  expect(breaker.isOpen()).toBe(false);
});
