import fc from "fast-check";
import { expect, test } from "vitest";
import { createLiveSamples, errorRateOf, type SampleSubject } from "./live-samples.ts";

const subject: SampleSubject = {
  environmentId: "e",
  resourceId: "r",
  connectionId: "c",
  model: "m",
};

function start() {
  let nowMs = Date.UTC(2026, 0, 1, 12, 0, 30);
  const samples = createLiveSamples({ now: () => nowMs, monotonic: () => nowMs });
  return { samples, passMinutes: (minutes: number) => nowMs += minutes * 60_000 };
}

test("failures are statuses of 400 and above, or the one status asked for", () => {
  const { samples } = start();
  for (const status of [200, 200, 429, 504]) samples.note(subject, status);
  expect(errorRateOf(samples.counts(subject, 10, "any"))).toBe(50);
  expect(errorRateOf(samples.counts(subject, 10, 429))).toBe(25);
  expect(errorRateOf(samples.counts(subject, 10, 500))).toBe(0);
  expect(errorRateOf(samples.counts({ ...subject, model: "other" }, 10, "any"))).toBe(0);
});

test("a window of N minutes holds the present minute and the N - 1 before it", () => {
  const { samples, passMinutes } = start();
  samples.note(subject, 500);
  passMinutes(9);
  expect(samples.counts(subject, 10, "any")).toEqual({ succeeded: 0, failed: 1 });
  passMinutes(1);
  expect(samples.counts(subject, 10, "any")).toEqual({ succeeded: 0, failed: 0 });
  expect(samples.counts(subject, 180, "any")).toEqual({ succeeded: 0, failed: 1 });
});

test("latency percentiles are within 2.5 percent of the nearest rank", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
    fc.integer({ min: 1, max: 100 }),
    (values, percent) => {
      const { samples } = start();
      for (const value of values) samples.note(subject, 200, value);
      const exact = values.sort((a, b) => a - b)[Math.ceil(values.length * percent / 100) - 1]!;
      const told = samples.latency(subject, percent, 10)!;
      expect(Math.abs(told - exact) / exact).toBeLessThan(0.026);
    },
  ));
});

test("what a process drains makes another process's copy the same, and is drained once", () => {
  const one = start().samples;
  const two = start().samples;
  for (const status of [200, 503]) one.note(subject, status, 120);
  const sent = JSON.parse(JSON.stringify(one.drain()));
  two.merge(sent);
  two.note(subject, 503, 80);
  one.merge(two.drain());
  expect(one.counts(subject, 5, "any")).toEqual({ succeeded: 1, failed: 2 });
  expect(two.counts(subject, 5, "any")).toEqual({ succeeded: 1, failed: 2 });
  expect(one.latency(subject, 99, 5)).toBe(two.latency(subject, 99, 5));
  expect(one.drain()).toEqual([]);
});

test("samples out of the window, or of minutes that have not begun, are left out", () => {
  const { samples } = start();
  const minute = Math.floor(Date.UTC(2026, 0, 1, 12) / 60_000);
  const change = { ...subject, statuses: { 500: 3 }, latencies: {} };
  samples.merge([{ ...change, minute: minute - 180 }, { ...change, minute: minute + 2 }]);
  expect(samples.counts(subject, 180, "any").failed).toBe(0);
});

test("subjects beyond the bound push out the one that was silent for longest", () => {
  const { samples, passMinutes } = start();
  samples.note(subject, 500);
  passMinutes(1);
  for (let index = 0; index < 10_000; index++) {
    samples.note({ ...subject, model: `m${index}` }, 500);
  }
  expect(samples.counts(subject, 10, "any").failed).toBe(0);
  expect(samples.counts({ ...subject, model: "m0" }, 10, "any").failed).toBe(1);
});
