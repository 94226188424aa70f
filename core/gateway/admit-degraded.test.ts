import { afterEach, expect, test } from "vitest";
import type { CapacityParts } from "../capacity/index.ts";
import { createFakeStore, type FakeStore } from "../capacity/testing.ts";
import { startTestGateway, type TestGateway } from "./testing.ts";

/* Requests on their way through while the capacity store is away. */

let gateway: TestGateway;
let store: FakeStore;

afterEach(() => gateway.stop());

async function start(onStoreFailure: CapacityParts["onStoreFailure"]) {
  store = createFakeStore({ now: () => Date.now() });
  const capacity = { store, onStoreFailure, timeoutMs: 15, probePauseMs: 50 };
  gateway = await startTestGateway(undefined, undefined, undefined, capacity);
  gateway.snapshot.setConnection("echo", "echo", { capacity: [{ period: "day", requests: 2 }] });
}

const call = (model = "demo") =>
  fetch(`${gateway.baseURL}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });

test("local: limits hold by the process's own counters, and answers say so", async () => {
  await start("local");
  expect((await call()).status).toBe(200);
  store.before = () => new Promise(() => {});
  const degraded = await call();
  expect(degraded.status).toBe(200);
  expect(degraded.headers.get("x-vmx-warnings")).toContain("capacity_degraded");
  const leg = gateway.outcomes.at(-1)!.exchange.legs[0]!;
  expect(leg.gate).toMatchObject({ result: "degraded", settled: { requests: 1 } });
  expect(leg.warnings).toMatchObject([{ code: "capacity_degraded" }]);
  const refused = await call();
  expect(refused.status).toBe(429);
  expect(gateway.outcomes.at(-1)!.status).toBe("denied");
  store.before = () => {};
});

test("deny: legs with a limit fail with 503, others run", async () => {
  await start("deny");
  gateway.snapshot.setConnection("free", "echo");
  store.before = () => Promise.reject(new Error("connection refused"));
  const refused = await call();
  expect(refused.status).toBe(503);
  expect((await refused.json()).error.code).toBe("capacity_store_unavailable");
  expect(refused.headers.get("retry-after")).toBe("1");
  expect((await call("free/echo")).status).toBe(200);
});

test("allow: everything runs and is told to the store afterwards", async () => {
  await start("allow");
  store.before = () => Promise.reject(new Error("connection refused"));
  const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await call()).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
  store.before = () => {};
  await expect.poll(() => [...store.used.values()][0]?.requests, { timeout: 3_000 }).toBe(6);
});
