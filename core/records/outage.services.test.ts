import { expect, test } from "vitest";
import { runThroughOutage } from "./outage-testing.ts";

test.each(["stopped", "paused"] as const)(
  "completions go on while the database is %s for 10 s, and no row is missing afterwards",
  async (kind) => {
    const report = await runThroughOutage(kind, 10_000);
    console.log(kind, report);
    expect(report).toMatchObject({ failed: 0, missing: 0 });
  },
);
