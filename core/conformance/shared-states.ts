import { deepEqual, equal, ok } from "node:assert/strict";
import type { SharedState } from "../contract/shared-state.ts";
import type { Case } from "./case.ts";

/** What the suite needs of a shared state. */
export interface SharedStateSubject {
  /** A fresh state that sees nothing of earlier ones. */
  create(): Promise<SharedState>;
  /** Lets time pass for the state created last. */
  advance(ms: number): Promise<void>;
}

/** What every `SharedState` must do. */
export function sharedStateCases(subject: SharedStateSubject): readonly Case[] {
  const over = (run: (state: SharedState) => Promise<void>) => async () => {
    const state = await subject.create();
    try {
      await run(state);
    } finally {
      await state.close();
    }
  };
  return [
    {
      name: "keeps a value until its time is over",
      run: over(async (state) => {
        await state.set("key", "värde", 400);
        equal(await state.get("key"), "värde");
        equal(await state.get("other"), undefined);
        await subject.advance(500);
        equal(await state.get("key"), undefined);
      }),
    },
    {
      name: "replaces and deletes values",
      run: over(async (state) => {
        await state.set("key", "one", 10_000);
        await state.set("key", "two", 10_000);
        equal(await state.get("key"), "two");
        await state.delete("key");
        equal(await state.get("key"), undefined);
      }),
    },
    {
      name: "counts every one of many increments at once, and forgets the counter on time",
      run: over(async (state) => {
        const values = await Promise.all(
          Array.from({ length: 100 }, () => state.increment("count", 1, 400)),
        );
        deepEqual(values.sort((a, b) => a - b), Array.from({ length: 100 }, (_, at) => at + 1));
        await subject.advance(500);
        equal(await state.increment("count", 5, 400), 5);
      }),
    },
    {
      name: "does not lengthen a counter's life by counting",
      run: over(async (state) => {
        await state.increment("count", 1, 400);
        await subject.advance(250);
        await state.increment("count", 1, 400);
        await subject.advance(250);
        equal(await state.increment("count", 1, 400), 1);
      }),
    },
    {
      name: "gives a lease to one owner at a time",
      run: over(async (state) => {
        const all = await Promise.all(
          ["a", "b", "c"].map((owner) => state.lease("job", owner, 400)),
        );
        equal(all.filter(Boolean).length, 1);
        const owner = ["a", "b", "c"][all.indexOf(true)]!;
        ok(await state.lease("job", owner, 400), "the owner renews");
        await state.release("job", "nobody");
        equal(await state.lease("job", "nobody", 400), false);
        await state.release("job", owner);
        ok(await state.lease("job", "nobody", 400));
        await subject.advance(500);
        ok(await state.lease("job", "late", 400), "an expired lease is free");
      }),
    },
    {
      name: "hands messages to the channel's listeners until they leave",
      run: over(async (state) => {
        const heard: string[] = [];
        const leave = await state.subscribe("news", (message) => void heard.push(message));
        await state.subscribe("other", () => void heard.push("wrong channel"));
        await state.publish("news", "one");
        await state.publish("news", "two");
        await settled(() => heard.length === 2);
        await leave();
        await state.publish("news", "three");
        await settled(() => heard.length > 2, 50);
        deepEqual(heard, ["one", "two"]);
      }),
    },
    {
      name: "knows the age of heartbeats",
      run: over(async (state) => {
        await state.heartbeat("p1");
        await subject.advance(300);
        await state.heartbeat("p2");
        const ages = new Map((await state.processes()).map((one) => [one.processId, one.ageMs]));
        ok(ages.get("p1")! >= 250 && ages.get("p1")! < 3000, `p1 is ${ages.get("p1")} ms old`);
        ok(ages.get("p2")! < 250, `p2 is ${ages.get("p2")} ms old`);
      }),
    },
  ];
}

async function settled(done: () => boolean, ms = 2000): Promise<void> {
  const endsAt = performance.now() + ms;
  while (!done() && performance.now() < endsAt) await new Promise((next) => setTimeout(next, 2));
}
