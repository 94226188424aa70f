import { expect, test } from "vitest";
import { playMixedRequests } from "./testing-sums.ts";

test("usage adds up to the audit over 120 mixed requests, from points and from rollups", async () => {
  const { audit, points, rollups } = await playMixedRequests(120);
  expect(audit["requestCount"]).toBe(120);
  expect(audit["legCount"]).toBeGreaterThan(100);
  expect(audit["totalCost"]).toBeGreaterThan(0);
  expect(points).toEqual(audit);
  expect(rollups).toEqual(audit);
});
