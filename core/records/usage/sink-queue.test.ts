import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Measurement, MetricSink } from "../../contract/index.ts";
import { silentLog } from "../../store/testing.ts";
import { createSinkQueue, maxWaiting } from "./sink-queue.ts";

const clock = { monotonic: () => performance.now() };
const points = (from: number, count: number): Measurement[] =>
  Array.from({ length: count }, (_, index) => ({
    at: from + index,
    leg: 0,
    measures: {},
    dimensions: {},
  }));

function createSink(record: MetricSink["record"]): MetricSink {
  return { record, flush: () => Promise.resolve(), close: () => Promise.resolve() };
}

test("points come in order and batches, and a batch that failed comes again", async () => {
  const taken: number[] = [];
  let fails = 2;
  const sink = createSink((batch) => {
    if (fails-- > 0) return Promise.reject(new Error("away"));
    taken.push(...batch.map(({ at }) => at));
    return Promise.resolve();
  });
  const queue = createSinkQueue("test", () => Promise.resolve(sink), clock, silentLog);
  queue.add(points(0, 1_200));
  for (let round = 0; round < 100 && taken.length < 1_200; round++) await delay(20);
  expect(taken).toEqual(Array.from({ length: 1_200 }, (_, at) => at));
  expect(queue.state()).toEqual({ waiting: 0, dropped: 0, away: false });
  await queue.close(100);
});

test("a sink that never answers holds 10 000 points, the newest, and nobody waits for it", async () => {
  const sink = createSink(() => new Promise(() => {}));
  const queue = createSinkQueue("test", () => Promise.resolve(sink), clock, silentLog);
  queue.add(points(0, 10));
  const startedAt = performance.now();
  for (let from = 10; from < 25_010; from += 1_000) queue.add(points(from, 1_000));
  expect(performance.now() - startedAt).toBeLessThan(200);
  expect(queue.state().waiting).toBeLessThanOrEqual(maxWaiting);
  expect(queue.state().dropped).toBeGreaterThan(14_000);
  await queue.close(50);
  expect(queue.state().waiting).toBe(0);
});

test("closing sends what waits; a sink whose plugin does not start loses it and says how much", async () => {
  const taken: Measurement[] = [];
  const sound = createSinkQueue(
    "sound",
    () =>
      Promise.resolve(createSink((batch) => {
        taken.push(...batch);
        return Promise.resolve();
      })),
    clock,
    silentLog,
  );
  const broken = createSinkQueue("broken", () => Promise.reject(new Error("no")), clock, silentLog);
  sound.add(points(0, 3));
  broken.add(points(0, 3));
  await Promise.all([sound.close(1_000), broken.close(1_000)]);
  expect(taken).toHaveLength(3);
  expect(broken.state()).toMatchObject({ waiting: 0, dropped: 3 });
});
