import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createIdleTimer } from "./idle-timer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("it fires once after the idle time", () => {
  const fired = vi.fn();
  createIdleTimer(100, fired);
  vi.advanceTimersByTime(99);
  expect(fired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(fired).toHaveBeenCalledTimes(1);
});

test("activity puts it off without a new timer for each touch", () => {
  const fired = vi.fn();
  const timer = createIdleTimer(100, fired);
  for (let step = 0; step < 50; step++) {
    vi.advanceTimersByTime(10);
    timer.touch();
    expect(vi.getTimerCount()).toBe(1);
  }
  expect(fired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(100);
  expect(fired).toHaveBeenCalledTimes(1);
});

test("stopped it never fires and leaves no timer", () => {
  const fired = vi.fn();
  const timer = createIdleTimer(100, fired);
  timer.stop();
  timer.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(fired).not.toHaveBeenCalled();
});
