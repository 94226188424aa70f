import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestManagement, type TestManagement } from "./testing.ts";
import { createTwins, slowness } from "./testing-timing.ts";

let plane: TestManagement;
beforeAll(async () => {
  plane = await startTestManagement();
});
afterAll(() => plane.stop());

test("the medians of what is absent and what must not be seen lie within 10 %", async () => {
  for (const twins of await createTwins(plane)) {
    const ratio = await slowness(twins, twins.name.includes("login") ? 60 : 1_000);
    console.log(`${twins.name}: ${ratio.toFixed(3)}`);
    expect(ratio, twins.name).toBeLessThan(1.1);
  }
});
