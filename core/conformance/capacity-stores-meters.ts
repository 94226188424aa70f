import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { Meter, Period } from "../contract/capacity-store.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import { environmentId, meter, request, reserved, usedOf } from "./capacity-stores-requests.ts";
import type { StoreCase } from "./capacity-stores.ts";

const periods: readonly Period[] = ["minute", "hour", "day", "week", "month", "lifetime"];
const mostValues = 10_000;

/** Limits, windows, dimensions. */
export const meterCases: readonly StoreCase[] = [
  ...[1, 10, 100].map((limit): StoreCase => ({
    name: `admits exactly ${limit} of many attempts at once`,
    async run(store) {
      const meters = [meter({ requests: limit })];
      const replies = await Promise.all(
        Array.from({ length: 2 * limit + 20 }, () => store.reserve(request(10, meters))),
      );
      equal(replies.filter(({ admitted }) => admitted).length, limit);
      deepEqual(await usedOf(store, meters[0]!), { requests: limit, tokens: 10 * limit });
    },
  })),
  {
    name: "refuses what would pass a token limit, and says what is used",
    async run(store) {
      const meters = [meter({ tokens: 100_000 })];
      await reserved(store, 99_000, meters);
      const reply = await store.reserve(request(1_550, meters));
      ok(!reply.admitted);
      const [refusal] = reply.refused;
      ok(refusal?.gate === "capacity");
      deepEqual([refusal.axis, refusal.used, refusal.meter], ["tokens", 99_000, meters[0]]);
      equal(refusal.resetAt, reply.meters[0]!.resetAt);
      deepEqual(await usedOf(store, meters[0]!), { requests: 1, tokens: 99_000 });
      await reserved(store, 1_000, meters);
    },
  },
  {
    name: "takes all meters or none, and names every axis that failed",
    async run(store) {
      const wide = meter({ requests: 100, tokens: 10_000 });
      const narrow = meter({ level: "api-key", subjectId: "k", period: "day", requests: 1 });
      const tight = meter({ level: "resource", subjectId: "r", requests: 1, tokens: 120 });
      const meters = [wide, narrow, tight];
      await reserved(store, 100, meters);
      const before = await store.read(environmentId, meters);
      const reply = await store.reserve(request(100, meters));
      ok(!reply.admitted);
      deepEqual(
        reply.refused.map((refusal) =>
          refusal.gate === "capacity" && [refusal.meter.level, refusal.axis]
        ),
        [["api-key", "requests"], ["resource", "requests"], ["resource", "tokens"]],
      );
      const after = await store.read(environmentId, meters);
      deepEqual(after, before.map((state, at) => ({ ...state, denied: at === 0 ? 0 : 1 })));
      deepEqual(reply.meters, after);
    },
  },
  {
    name: "answers the states of all meters in their order",
    async run(store) {
      const meters = periods.map((period) => meter({ period, tokens: 1_000 }));
      const reply = await store.reserve(request(7, meters));
      const at = reply.meters[0]!.windowStart;
      for (const [index, state] of reply.meters.entries()) {
        const { start, end } = calendarWindow(periods[index]!, at);
        deepEqual(state, {
          level: "connection",
          subjectId: "c",
          period: periods[index],
          used: { requests: 1, tokens: 7 },
          reserved: { requests: 1, tokens: 7 },
          denied: 0,
          windowStart: start,
          resetAt: end,
        });
      }
    },
  },
  {
    name: "counts amounts up to 2^53 - 1 exactly",
    async run(store) {
      const meters = [meter({ tokens: Number.MAX_SAFE_INTEGER })];
      await reserved(store, Number.MAX_SAFE_INTEGER - 1, meters);
      equal((await store.reserve(request(2, meters))).admitted, false);
      await reserved(store, 1, meters);
      equal((await usedOf(store, meters[0]!)).tokens, Number.MAX_SAFE_INTEGER);
    },
  },
  {
    name: "refuses amounts and limits that are no whole numbers",
    async run(store) {
      for (const wrong of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
        await rejects(store.reserve(request(wrong, [meter()])), RangeError);
        await rejects(store.reserve(request(1, [meter({ tokens: wrong })])), RangeError);
        await rejects(store.reserve(request(1, [meter({ requests: wrong })])), RangeError);
        await rejects(store.settle(environmentId, "r", { requests: 1, tokens: wrong }), RangeError);
      }
      await rejects(store.reserve(request(1, [meter()], { ttlMs: 0 })), RangeError);
      deepEqual(await usedOf(store, meter()), { requests: 0, tokens: 0 });
    },
  },
  {
    name: "keeps environments, levels, subjects and periods apart",
    async run(store) {
      await reserved(store, 5, [meter()]);
      for (
        const other of [
          meter({ level: "resource" }),
          meter({ subjectId: "c:minute" }),
          meter({ period: "hour" }),
          meter({ dimension: { name: "source-ip", value: "::1" } }),
        ]
      ) deepEqual(await usedOf(store, other), { requests: 0, tokens: 0 });
      const [elsewhere] = await store.read("other-env", [meter()]);
      deepEqual(elsewhere!.used, { requests: 0, tokens: 0 });
    },
  },
  {
    name: "counts every value of a dimension by itself",
    async run(store) {
      const of = (value: string, name = "source-ip"): Meter =>
        meter({ requests: 1, dimension: { name, value } });
      for (const value of ["10.0.0.1", "::1", "a:b:c", "", "ü%{}"]) {
        await reserved(store, 1, [of(value)]);
        equal((await store.reserve(request(1, [of(value)]))).admitted, false, value);
      }
      await reserved(store, 1, [of("10.0.0.1", "metadata.tier")]);
      const [state] = await store.read(environmentId, [of("10.0.0.1")]);
      deepEqual([state!.denied, state!.dimension!.value], [1, "10.0.0.1"]);
    },
  },
  {
    name: "tells the fullest values of a dimension",
    async run(store) {
      const entry = { level: "connection", subjectId: "c", period: "minute" } as const;
      const of = (value: string) => meter({ dimension: { name: "source-ip", value } });
      await reserved(store, 10, [of("small")]);
      const shrinking = await reserved(store, 500, [of("shrinking")]);
      await reserved(store, 200, [of("big")]);
      await reserved(store, 100, [of("two")]);
      await reserved(store, 100, [of("two")]);
      await store.settle(environmentId, shrinking, { requests: 1, tokens: 50 });
      const top = await store.top(environmentId, { ...entry, dimensionName: "source-ip" }, 3);
      deepEqual(top.map(({ dimension, used }) => [dimension!.value, used.tokens, used.requests]), [
        ["two", 200, 2],
        ["big", 200, 1],
        ["shrinking", 50, 1],
      ]);
      deepEqual(await store.top(environmentId, { ...entry, dimensionName: "none" }, 3), []);
    },
  },
  {
    name: `counts values past the first ${mostValues} together as "other"`,
    async run(store) {
      const of = (value: string) =>
        meter({ requests: 2, dimension: { name: "metadata.user", value } });
      for (let at = 0; at < mostValues; at += 500) {
        await Promise.all(
          Array.from({ length: 500 }, (_, index) => reserved(store, 1, [of(`user ${at + index}`)])),
        );
      }
      const reply = await store.reserve(request(1, [of("late")]));
      equal(reply.meters[0]!.dimension!.value, "other");
      await reserved(store, 1, [of("later")]);
      equal((await store.reserve(request(1, [of("latest")]))).admitted, false);
      await reserved(store, 1, [of("user 0")]);
      const [late] = await store.read(environmentId, [of("latest")]);
      deepEqual([late!.used.requests, late!.denied, late!.dimension!.value], [2, 1, "other"]);
    },
  },
  {
    name: "forgets the counters of one entry when told to",
    async run(store) {
      const value = (value: string) => meter({ dimension: { name: "source-ip", value } });
      const meters = [meter(), value("a"), value("b"), meter({ period: "hour" })];
      const open = await reserved(store, 100, meters);
      await store.reset(environmentId, meter());
      deepEqual(await Promise.all(meters.map(async (key) => (await usedOf(store, key)).tokens)), [
        0,
        0,
        0,
        100,
      ]);
      await reserved(store, 30, meters);
      // What was forgotten stays so: its reservation has nothing to correct in the new counter.
      await store.settle(environmentId, open, { requests: 1, tokens: 5 });
      deepEqual(await Promise.all(meters.map(async (key) => (await usedOf(store, key)).tokens)), [
        30,
        30,
        30,
        35,
      ]);
    },
  },
  {
    name: "begins anew with every window",
    turns: true,
    async run(store, { turn }) {
      const days = { minute: 1 / 1440, hour: 1 / 24, day: 1, week: 7, month: 31, lifetime: 9999 };
      for (const period of periods) {
        const meters = [meter({ period, requests: 1 })];
        await reserved(store, 1, meters);
        equal((await store.reserve(request(1, meters))).admitted, false, period);
        turn(days[period] * 86_400_000);
        const { admitted } = await store.reserve(request(1, meters));
        equal(admitted, period !== "lifetime", period);
      }
    },
  },
  {
    name: "counts refusals in the window they happened in",
    turns: true,
    async run(store, { turn }) {
      const meters = [meter({ requests: 0 })];
      await store.reserve(request(1, meters));
      const reply = await store.reserve(request(1, meters));
      equal(reply.meters[0]!.denied, 2);
      turn(60_000);
      equal((await store.read(environmentId, meters))[0]!.denied, 0);
    },
  },
];
