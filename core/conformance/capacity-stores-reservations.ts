import { deepEqual, equal } from "node:assert/strict";
import { environmentId, meter, request, reserved, usedOf } from "./capacity-stores-requests.ts";
import type { StoreCase } from "./capacity-stores.ts";

const meters = [meter({ requests: 100, tokens: 100_000 }), meter({ period: "day" })];
const nothing = { requests: 0, tokens: 0 };

/** What becomes of a reservation: settled, released, expired, once. */
export const reservationCases: readonly StoreCase[] = [
  {
    name: "charges the difference between real and reserved, up and down",
    async run(store) {
      const up = await reserved(store, 1_550, meters);
      await store.settle(environmentId, up, { requests: 1, tokens: 1_790 });
      deepEqual(await usedOf(store, meters[0]!), { requests: 1, tokens: 1_790 });
      const down = await reserved(store, 1_550, meters);
      await store.settle(environmentId, down, { requests: 1, tokens: 10 });
      for (const state of await store.read(environmentId, meters)) {
        deepEqual([state.used, state.reserved], [{ requests: 2, tokens: 1_800 }, nothing]);
      }
    },
  },
  {
    name: "returns a released reservation whole",
    async run(store) {
      await reserved(store, 100, meters);
      const id = await reserved(store, 1_550, meters);
      await store.release(environmentId, id);
      for (const state of await store.read(environmentId, meters)) {
        deepEqual(state.used, { requests: 1, tokens: 100 });
        deepEqual(state.reserved, { requests: 1, tokens: 100 });
      }
    },
  },
  {
    name: "lets only the first settle or release of a reservation take effect",
    async run(store) {
      const settled = await reserved(store, 100, meters);
      const released = await reserved(store, 100, meters);
      await store.settle(environmentId, settled, { requests: 1, tokens: 40 });
      await store.release(environmentId, released);
      for (const id of [settled, released, "never reserved"]) {
        await store.settle(environmentId, id, { requests: 1, tokens: 9_000 });
        await store.release(environmentId, id);
      }
      deepEqual(await usedOf(store, meters[0]!), { requests: 1, tokens: 40 });
    },
  },
  {
    name: "admits an open reservation again without taking it again",
    async run(store) {
      const asked = request(100, [meter({ requests: 1 })]);
      equal((await store.reserve(asked)).admitted, true);
      equal((await store.reserve(asked)).admitted, true);
      deepEqual(await usedOf(store, asked.meters[0]!), { requests: 1, tokens: 100 });
      await store.release(environmentId, asked.reservationId);
      deepEqual(await usedOf(store, asked.meters[0]!), nothing);
    },
  },
  {
    name: "releases reservations past their expiry, and charges a late settle in full",
    async run(store, subject) {
      const short = await reserved(store, 100, meters, { ttlMs: 200 });
      const silent = await reserved(store, 10, meters, { ttlMs: 200 });
      await reserved(store, 1, meters);
      equal(await store.expire(environmentId, []), 0);
      await subject.advance(300);
      equal(await store.expire(environmentId, []), 2);
      equal(await store.expire(environmentId, []), 0);
      deepEqual(await usedOf(store, meters[0]!), { requests: 1, tokens: 1 });
      await store.settle(environmentId, short, { requests: 1, tokens: 70 });
      await store.settle(environmentId, short, { requests: 1, tokens: 70 });
      await store.release(environmentId, silent);
      await store.settle(environmentId, silent, { requests: 1, tokens: 70 });
      const [state] = await store.read(environmentId, meters);
      deepEqual(state!.used, { requests: 2, tokens: 71 });
      deepEqual(state!.reserved, { requests: 1, tokens: 1 });
    },
  },
  {
    name: "releases all that dead processes hold, and nothing of others",
    async run(store) {
      const mine = await reserved(store, 1, meters, { processId: "alive" });
      for (let at = 0; at < 450; at++) {
        await reserved(store, 10, [meter({ subjectId: "d" })], { processId: "dead" });
      }
      await reserved(store, 10, meters, { processId: "dead too" });
      equal(await store.expire(environmentId, ["dead", "dead too", "unknown"]), 451);
      deepEqual(await usedOf(store, meters[0]!), { requests: 1, tokens: 1 });
      await store.settle(environmentId, mine, { requests: 1, tokens: 3 });
      deepEqual(await usedOf(store, meters[0]!), { requests: 1, tokens: 3 });
    },
  },
  {
    name: "charges the windows a reservation was made in, also when they have ended",
    turns: true,
    async run(store, { turn }) {
      const id = await reserved(store, 1_000, meters);
      turn(60_000);
      await reserved(store, 10, meters);
      await store.settle(environmentId, id, { requests: 1, tokens: 1 });
      const [minute, day] = await store.read(environmentId, meters);
      deepEqual([minute!.used, minute!.reserved], [
        { requests: 1, tokens: 10 },
        { requests: 1, tokens: 10 },
      ]);
      deepEqual(day!.used, { requests: 2, tokens: 11 });
    },
  },
  {
    name: "knows an expired reservation for an hour",
    turns: true,
    async run(store, { turn }) {
      const daily = [meter({ period: "lifetime" })];
      const early = await reserved(store, 100, daily, { ttlMs: 1_000 });
      const late = await reserved(store, 100, daily, { ttlMs: 1_000 });
      turn(1_000);
      await store.expire(environmentId, []);
      turn(3_500_000);
      await store.settle(environmentId, early, { requests: 1, tokens: 7 });
      turn(200_000);
      await store.expire(environmentId, []);
      await store.settle(environmentId, late, { requests: 1, tokens: 7 });
      deepEqual(await usedOf(store, daily[0]!), { requests: 1, tokens: 7 });
    },
  },
];
