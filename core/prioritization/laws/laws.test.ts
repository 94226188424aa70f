import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { loadTestPlugins, type TestPlugins } from "../testing.ts";
import { laws } from "./testing.ts";

let plugins: TestPlugins;
beforeAll(async () => {
  plugins = await loadTestPlugins();
});
afterAll(() => plugins.stop());

test.each(laws)("$title", async ({ plays, check, weight }) => {
  const shown = fc.asyncProperty(plays, async (drawn) => void await check(plugins, drawn));
  await fc.assert(shown, { numRuns: Math.ceil(8 * weight) });
});
