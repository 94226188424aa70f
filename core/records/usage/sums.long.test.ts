import { expect, test } from "vitest";
import { playMixedRequests } from "./testing-sums.ts";

test("usage adds up to the audit over 10 000 mixed requests, from points and from rollups", async () => {
  const { audit, points, rollups } = await playMixedRequests(10_000);
  expect(audit["requestCount"]).toBe(10_000);
  expect(points).toEqual(audit);
  expect(rollups).toEqual(audit);
});
