import type { LiveMeter, System, UsageAnswer } from "@vmx/sdk";
import { expect, test } from "vitest";
import type { Scope } from "#lib/api/scope.ts";
import { pointsOf, type Signals } from "./attention.ts";

const scope = { link: (...parts: string[]) => `/${parts.join("/")}` } as unknown as Scope;
const nothing: Signals = { capacity: undefined, lastHour: undefined, system: undefined };
const meter = (used: number): LiveMeter => ({
  level: "resource",
  subjectId: "r",
  subjectName: "chat",
  period: "day",
  requests: { limit: 10, used, reserved: 0, remaining: 10 - used },
  tokens: { limit: null, used: 0, reserved: 0, remaining: null },
  windowStart: null,
  resetAt: null,
  deniedInWindow: 0,
});
const limits = (...used: number[]): Signals => ({
  ...nothing,
  capacity: { at: "", storeState: "ok", data: used.map(meter) },
});
const hours = (now: [number, number], before: [number, number]): Signals => {
  const row = ([requestCount, legCount]: [number, number]) => ({ requestCount, legCount });
  const answer: UsageAnswer = {
    sink: "database",
    data: [row(now)],
    truncated: false,
    previous: { data: [row(before)], truncated: false },
  };
  return { ...nothing, lastHour: answer };
};

test("limits that are nearly or wholly used are told, others are not", () => {
  expect(pointsOf(limits(7, 8, 10), scope)).toMatchObject([
    { kind: "warn", mark: "Limit near", text: "chat: 80 % of its day is used" },
    { kind: "bad", mark: "Limit reached", href: "/capacity?q=chat" },
  ]);
});

test("fallbacks are told when they rise among enough requests", () => {
  expect(pointsOf(hours([100, 112], [100, 102]), scope)).toMatchObject([
    { text: "12 % of the last hour's requests fell back, 2.0 % in the hour before" },
  ]);
  expect(pointsOf(hours([100, 106], [100, 102]), scope)).toEqual([]);
  expect(pointsOf(hours([10, 20], [100, 102]), scope)).toEqual([]);
  expect(pointsOf(hours([100, 150], [5, 5]), scope)).toEqual([]);
});

test("a degraded mode is told first, and who may see nothing is told nothing", () => {
  const system = { degraded: ["spool_full"] } as unknown as System;
  expect(pointsOf({ ...limits(10), system }, scope).map(({ mark }) => mark)).toEqual([
    "Degraded",
    "Limit reached",
  ]);
  expect(pointsOf(nothing, scope)).toEqual([]);
});
