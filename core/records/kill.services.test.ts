import { expect, test } from "vitest";
import { startTestDatabase } from "../store/testing.ts";
import { killGateways } from "./kill-testing.ts";

test("every request a client saw has one row after three kills, embedded database", async () => {
  const report = await killGateways(3, {});
  console.log("embedded", report);
  expect(report.seen).toBeGreaterThan(50);
  expect(report).toMatchObject({ missing: 0, doubled: 0, orphans: 0, answeredInterrupted: 0 });
});

test("every request a client saw has one row after three kills, external database", async () => {
  const database = await startTestDatabase();
  try {
    const report = await killGateways(3, { DATABASE_URL: database.url });
    console.log("external", report);
    expect(report.seen).toBeGreaterThan(50);
    expect(report).toMatchObject({ missing: 0, doubled: 0, orphans: 0, answeredInterrupted: 0 });
    expect(report).toMatchObject({ missing: 0, doubled: 0, orphans: 0, answeredInterrupted: 0 });
  } finally {
    await database.stop();
  }
});
