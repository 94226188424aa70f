import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Meter, ReserveRequest } from "@vmx/core/contract";
import { contents, openStore } from "./testing.ts";

const run = promisify(execFile);
const url = process.env["VMX_TEST_REDIS_URL"]!;
const { store, connection } = await openStore(url);
beforeAll(() => connection.client.flushdb());
afterAll(() => store.close());

const worker = join(import.meta.dirname, "exactness-worker.ts");
const callers = 64;

test.each([1, 10, 100, 1_000])(
  "four processes with 64 callers each get exactly the limit of %i",
  async (limit) => {
    const processes = await Promise.all(
      Array.from(
        { length: 4 },
        () => run(process.execPath, [worker, url, String(limit), String(callers)]),
      ),
    );
    const admitted = processes.map(({ stdout }) => Number(stdout));
    expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(limit);
    const [state] = await store.read("exact", [
      { level: "connection", subjectId: `limited-${limit}`, period: "lifetime" },
    ]);
    expect(state!.used).toEqual({ requests: limit, tokens: 7 * limit });
    // Everybody went on until they were refused.
    expect(state!.denied).toBe(4 * callers);
    // Their reservations are as exact as their limits when all of them die.
    expect(await store.expire("exact", [])).toBe(0);
  },
  60_000,
);

test("a refused attempt leaves every key as it was", async () => {
  const meter = (level: Meter["level"], requests: number | null): Meter => ({
    level,
    subjectId: "refused",
    period: "minute",
    limit: { requests, tokens: 1_000 },
  });
  const pools = [{ name: "a", rank: 0, min: 10_000, max: 20_000 }];
  const address: Meter = {
    ...meter("connection", 100),
    period: "day",
    dimension: { name: "source-ip", value: "::1" },
  };
  const request = (id: string, tokens: number, more: Partial<ReserveRequest> = {}) => ({
    environmentId: "refusals",
    reservationId: id,
    processId: "p",
    ttlMs: 60_000,
    amount: { requests: 1, tokens },
    meters: [meter("connection", 100), meter("api-key", 2), address],
    pool: { connectionId: "refused", limit: 1_000, pool: "a", pools },
    ...more,
  });
  expect((await store.reserve(request("1", 100))).admitted).toBe(true);
  expect((await store.reserve(request("2", 50))).admitted).toBe(true);
  const before = await contents(connection);
  expect(Object.keys(before).length).toBeGreaterThan(8);
  const byGate = await store.reserve(request("3", 60));
  const byMeter = await store.reserve(request("4", 40));
  const byAll = await store.reserve(request("5", 2_000));
  const stranger = { ...address, dimension: { name: "source-ip", value: "::2" } };
  const unheardOf = await store.reserve(request("6", 1, {
    meters: [meter("connection", 100), meter("api-key", 2), stranger],
  }));
  expect([byGate, byMeter, byAll, unheardOf].map(({ admitted }) => admitted)).toEqual(
    [false, false, false, false],
  );
  await store.settle("refusals", "3", { requests: 1, tokens: 9 });
  await store.release("refusals", "4");
  expect(await contents(connection)).toEqual(before);
});

test("every key of an environment lies in its slot and expires by itself, counters of a lifetime aside", async () => {
  const keys = await connection.client.keys("*");
  expect(keys.filter((key) => !/^vmx:\{(exact|refusals)\}:/.test(key))).toEqual([]);
  const endless: string[] = [];
  for (const key of keys) if (await connection.client.pttl(key) < 0) endless.push(key);
  expect(endless.filter((key) => !/:lifetime:0$|:long$/.test(key))).toEqual([]);
});
