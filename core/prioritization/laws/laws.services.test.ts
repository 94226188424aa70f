import fc from "fast-check";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playArbitrary } from "../plays/testing.ts";
import { loadTestPlugins, type TestPlugins } from "../testing.ts";
import { laws, playBefore } from "./testing.ts";

/*
 * The laws on a shared store, by its real clock: plays of eighteen seconds, several side by side. Those of a pool
 * alone and of equal totals need whole minutes and equal moments; they are shown by the clock of the test.
 */
const outer = { id: "redis", environment: { REDIS_URL: process.env["VMX_TEST_REDIS_URL"]! } };
const watches = laws.flatMap(({ watch }) => watch ?? []);
const plays = fc.sample(playArbitrary({ isShort: true }), 6);

let processes: TestPlugins[];
beforeAll(async () => {
  processes = await Promise.all([loadTestPlugins(outer), loadTestPlugins(outer)]);
});
afterAll(() => Promise.all(processes.map((one) => one.stop())));

test("every law holds for one process and for two on one store", async () => {
  expect(watches.length).toBe(9);
  const [one, two] = processes as [TestPlugins, TestPlugins];
  // The minute must not turn while requests are on their way.
  const leftMs = 60_000 - Date.now() % 60_000;
  if (leftMs < 24_000) await delay(leftMs);
  const endings = await Promise.all(plays.flatMap((play) => [
    playBefore(one, play, watches),
    playBefore({ ...one, others: [two] }, { ...play, processes: 2 }, watches),
  ]));
  // Not a quiet room: some were served, and some had to be refused.
  expect(endings.some(({ admitted }) => admitted.size > 0)).toBe(true);
  expect(endings.some(({ refused }) => refused.size > 0)).toBe(true);
}, 120_000);
