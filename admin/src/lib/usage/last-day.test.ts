import { expect, test } from "vitest";
import { lastDayOf } from "./last-day.ts";

const named = (value: string) => ({ value, label: "resourceId", displayName: value.toUpperCase() });

test("requests of a resource fail when no leg served, legs of a connection each by itself", () => {
  const counts = [
    { resourceId: named("a"), requestCount: 4, successCount: 3, errorCount: 3, legCount: 6 },
    { resourceId: null, requestCount: 1, successCount: 0, errorCount: 1, legCount: 0 },
  ];
  const times = [{ resourceId: named("a"), requestDuration: 120 }];
  expect([...lastDayOf("resourceId", counts, times)]).toEqual([
    ["a", { requests: 4, failed: 1, p95Ms: 120 }],
  ]);
  const legs = [{ connectionId: named("c"), requestCount: 1, errorCount: 2, legCount: 3 }];
  expect([...lastDayOf("connectionId", legs, [])]).toEqual([
    ["c", { requests: 3, failed: 2, p95Ms: null }],
  ]);
});
