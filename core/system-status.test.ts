import { expect, test } from "vitest";
import { createSystemStatus, type SystemStatusParts } from "./system-status.ts";

/** A process where all is well, but for what is told. */
function statusOf(trouble: {
  readonly loader?: object;
  readonly spool?: object;
  readonly capacity?: "ok" | "local";
  readonly draining?: boolean;
  readonly ping?: () => Promise<number>;
}) {
  const loaded = { status: "ready", since: new Date(0), revision: 7, unopened: 0 };
  const spool = { writable: true, pressure: "none", bytes: 10, oldestAgeMs: 1_240 };
  const parts = {
    loader: { state: () => ({ ...loaded, ...trouble.loader }) },
    database: { ping: trouble.ping ?? (() => Promise.resolve(1.234)) },
    records: { state: () => ({ spool: { ...spool, ...trouble.spool }, shipped: 0, lost: 3 }) },
    capacity: {
      liveness: { replicas: () => 2 },
      admission: { state: () => trouble.capacity ?? "ok" },
    },
    host: { plugins: () => [] },
    isDraining: () => trouble.draining ?? false,
    clock: { now: () => 5_000 },
  };
  return createSystemStatus(parts as unknown as SystemStatusParts);
}

test("a process where all is well is ready and tells how everything is", async () => {
  const status = statusOf({});
  expect(status.readiness()).toBe("ready");
  expect(await status.read()).toMatchObject({
    status: "ready",
    revision: 7,
    replicas: 2,
    degraded: [],
    dependencies: [
      { name: "database", state: "ok", latencyMs: 1.23 },
      { name: "capacity_store", state: "ok" },
      { name: "credentials", state: "ok" },
    ],
    spool: { bytes: 10, oldestAgeSeconds: 1.2, writable: true, pressure: "none", lost: 3 },
  });
});

test.each(
  [
    ["the database away", { loader: { status: "degraded" } }, "degraded", "database_away"],
    ["the capacity store away", { capacity: "local" }, "degraded", "capacity_degraded"],
    ["the disk full", { spool: { writable: false } }, "degraded", "disk_full"],
    ["the spool nearly full", { spool: { pressure: "high" } }, "degraded", "spool_full"],
    [
      "secrets that cannot be opened",
      { loader: { unopened: 2 } },
      "ready",
      "credentials_unavailable",
    ],
  ] as const,
)("%s: readiness says so with the row of its mode", async (_name, trouble, state, row) => {
  const status = statusOf(trouble);
  expect(status.readiness()).toBe(state);
  expect((await status.read()).degraded).toEqual([row]);
});

test.each([
  ["nothing loaded yet", { loader: { status: "starting" } }],
  ["a process that leaves", { draining: true }],
])("%s: not ready", (_name, trouble) => {
  expect(statusOf(trouble).readiness()).toBe("not_ready");
});

test("a database that refuses is away, and the answer does not fail with it", async () => {
  const status = statusOf({ ping: () => Promise.reject(new Error("refused")) });
  expect((await status.read()).dependencies).toContainEqual(
    expect.objectContaining({ name: "database", state: "away", error: "it does not answer" }),
  );
});
