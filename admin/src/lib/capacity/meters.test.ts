import type { LiveCapacity, LiveMeter } from "@vmx/sdk";
import { expect, test } from "vitest";
import { atMoment, bySubject, fullInMs, fullness, withChanges } from "./meters.ts";

const start = Date.parse("2026-11-21T10:00:00.000Z");
const meter = (changes: Partial<LiveMeter> = {}): LiveMeter => ({
  level: "connection",
  subjectId: "a",
  subjectName: "main",
  period: "minute",
  requests: { limit: 10, used: 4, reserved: 1, remaining: 6 },
  tokens: { limit: null, used: 900, reserved: 0, remaining: null },
  windowStart: new Date(start).toISOString(),
  resetAt: new Date(start + 60_000).toISOString(),
  deniedInWindow: 3,
  ...changes,
});
const state = (data: LiveMeter[]): LiveCapacity => ({ at: "", storeState: "ok", data });

test("a change replaces the meter it is about and leaves the others", () => {
  const byIp = meter({ dimension: "source-ip", dimensionValue: "10.0.0.1" });
  const moved = meter({ requests: { limit: 10, used: 5, reserved: 0, remaining: 5 } });
  const after = withChanges(state([meter(), byIp]), { ...state([moved]), storeState: "local" });
  expect(after.data).toEqual([moved, byIp]);
  expect(after.storeState).toBe("local");
});

test("subjects stand in the order of levels, their meters in that of periods", () => {
  const subjects = bySubject([
    meter({ level: "resource", subjectId: "r", subjectName: "chat" }),
    meter({ period: "day" }),
    meter(),
  ]);
  expect(subjects.map(({ name, meters }) => [name, meters.map(({ period }) => period)])).toEqual([
    ["main", ["minute", "day"]],
    ["chat", ["minute"]],
  ]);
});

test("a window that has ended is empty but for what still runs", () => {
  expect(atMoment(meter(), start + 59_999)).toEqual(meter());
  const next = atMoment(meter(), start + 60_000);
  expect(next.requests).toEqual({ limit: 10, used: 1, reserved: 1, remaining: 9 });
  expect(next.deniedInWindow).toBe(0);
});

test("the present pace tells when a limit is reached, if it is within the window", () => {
  expect(fullInMs(meter(), meter().requests, start + 20_000)).toBe(30_000);
  expect(fullInMs(meter(), meter().requests, start + 40_000)).toBeUndefined();
  expect(fullInMs(meter(), meter().tokens, start + 20_000)).toBeUndefined();
  expect(fullness(meter())).toBe(0.4);
});
