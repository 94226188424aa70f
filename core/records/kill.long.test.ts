import process from "node:process";
import { expect, test } from "vitest";
import { startTestDatabase } from "../store/testing.ts";
import { killGateways } from "./kill-testing.ts";

const kills = Number(process.env["VMX_TEST_KILLS"] ?? 200);
const timeoutMs = 3_600_000;

test(`every request a client saw has one row after ${kills} kills, embedded database`, async () => {
  const report = await killGateways(kills, {});
  console.log("embedded", report);
  expect(report.seen).toBeGreaterThan(kills * 20);
  expect(report).toMatchObject({ missing: 0, doubled: 0, orphans: 0, answeredInterrupted: 0 });
}, timeoutMs);

test(`every request a client saw has one row after ${kills} kills, external database`, async () => {
  const database = await startTestDatabase();
  try {
    const report = await killGateways(kills, { DATABASE_URL: database.url });
    console.log("external", report);
    expect(report.seen).toBeGreaterThan(kills * 20);
    expect(report).toMatchObject({ missing: 0, doubled: 0, orphans: 0, answeredInterrupted: 0 });
  } finally {
    await database.stop();
  }
}, timeoutMs);
