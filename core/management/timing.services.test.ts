import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestManagement, type TestManagement } from "./testing.ts";
import { createTwins, slowness, toldBy } from "./testing-timing.ts";

/* Time tells nothing either. The bound is wide for busy machines; `timing.long.test.ts` measures it. */

let plane: TestManagement;
beforeAll(async () => {
  plane = await startTestManagement();
});
afterAll(() => plane.stop());

test("what is absent and what must not be seen answer the same and take about as long", async () => {
  for (const twins of await createTwins(plane)) {
    const [one, other] = [await twins.one(), await twins.other()];
    expect(one.status, twins.name).toBe(twins.status);
    expect(toldBy(one), twins.name).toBe(toldBy(other));
    expect(await slowness(twins, 25), twins.name).toBeLessThan(1.6);
  }
});
