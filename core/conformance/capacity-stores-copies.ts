import { deepEqual, equal } from "node:assert/strict";
import type { Counter } from "../contract/capacity-store.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import { environmentId, meter, reserved, usedOf } from "./capacity-stores-requests.ts";
import type { StoreCase } from "./capacity-stores.ts";

const byText = (a: Counter, b: Counter): number =>
  JSON.stringify(a).localeCompare(JSON.stringify(b));
const key = { level: "connection", subjectId: "c" } as const;

/** Counters copied elsewhere and brought back. */
export const copyCases: readonly StoreCase[] = [
  {
    name: "hands out counters of hour and longer windows once the earlier ones are back",
    async run(store, { now }) {
      equal(await store.dump(environmentId), undefined);
      const dimension = { name: "metadata.a:b", value: "x:y %" };
      const meters = [meter(), meter({ period: "hour" }), meter({ period: "month", dimension })];
      await reserved(store, 5, meters);
      equal(await store.dump(environmentId), undefined);
      const hour = calendarWindow("hour", now()).start;
      const earlier: Counter[] = [
        { ...key, period: "hour", windowStart: hour, used: { requests: 2, tokens: 40 } },
        { ...key, period: "hour", windowStart: hour - 3_600_000, used: { requests: 9, tokens: 9 } },
        { ...key, period: "lifetime", windowStart: 0, used: { requests: 3, tokens: 60 } },
      ];
      equal(await store.restore(environmentId, earlier), true);
      equal(await store.restore(environmentId, earlier), false);
      const month = calendarWindow("month", now()).start;
      const dumped = await store.dump(environmentId);
      deepEqual(
        [...dumped!].sort(byText),
        [
          { ...key, period: "hour", windowStart: hour, used: { requests: 3, tokens: 45 } },
          {
            ...key,
            period: "month",
            dimension,
            windowStart: month,
            used: { requests: 1, tokens: 5 },
          },
          { ...key, period: "lifetime", windowStart: 0, used: { requests: 3, tokens: 60 } },
        ].sort(byText as never) as never,
      );
    },
  },
  {
    name: "restores each environment by itself",
    async run(store) {
      equal(await store.restore(environmentId, []), true);
      deepEqual(await store.dump(environmentId), []);
      equal(await store.dump("other-env"), undefined);
    },
  },
  {
    name: "adds use that was admitted elsewhere to present windows",
    async run(store, { now }) {
      const { start } = calendarWindow("minute", now());
      const id = await reserved(store, 10, [meter()]);
      const used = { requests: 4, tokens: 100 };
      await store.add(environmentId, [
        { ...key, period: "minute", windowStart: start, used },
        { ...key, period: "minute", windowStart: start - 60_000, used },
      ]);
      await store.settle(environmentId, id, { requests: 1, tokens: 1 });
      deepEqual(await usedOf(store, meter()), { requests: 5, tokens: 101 });
    },
  },
];
