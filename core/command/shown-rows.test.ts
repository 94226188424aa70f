import { expect, test } from "vitest";
import { routeTestText, shownRows } from "./shown-rows.ts";

const usage = (limit: number | null, used: number) => ({
  limit,
  used,
  reserved: 0,
  remaining: null,
});

test("limits show what is used of them, shares what pools have and why", () => {
  const meter = {
    level: "resource",
    subjectId: "1",
    subjectName: "chat",
    period: "minute",
    requests: usage(100, 7),
    tokens: usage(null, 0),
    resetAt: "2026-03-02T05:01:00.000Z",
    deniedInWindow: 3,
  };
  expect(shownRows("capacity", { data: [meter] })).toEqual([{
    level: "resource",
    subject: "chat",
    period: "minute",
    requests: "7 of 100",
    tokens: null,
    denied: 3,
    resetAt: "2026-03-02T05:01:00.000Z",
  }]);
  const pool = {
    name: "chat",
    min: 50,
    current: 60,
    max: 100,
    demandTokens: 900,
    usedThisMinute: 300,
    deniedThisMinute: 0,
    reason: "grew 10 points",
  };
  const [row] = shownRows("allocation", {
    data: [{ connectionId: "c", limit: 2000, pools: [pool] }],
  })!;
  expect(row).toMatchObject({ pool: "chat", share: "60 %", tokens: "300 of 1200" });
  expect(shownRows("workspace", { data: [{}] })).toBeUndefined();
});

test("a dry run tells which rule chose, why, and what stands in the way of each leg", () => {
  const condition = { path: "0", left: "gold", comparator: "IN", right: ["gold"], durationUs: 1 };
  const leg = { circuit: "closed", allowed: true, warnings: [], maxRetries: 0, timeoutMs: null };
  const gate = { level: "connection", subjectName: "main", period: "minute", used: 9, limit: 9 };
  const text = routeTestText(
    {
      trace: {
        routes: [
          { description: "Gold", result: "matched", conditions: [{ ...condition, result: true }] },
          { description: null, result: "skipped", conditions: [] },
        ],
      },
      chain: [
        {
          ...leg,
          kind: "route",
          connectionName: "main",
          model: "m",
          gates: [{ ...gate, wouldPass: false }],
        },
        { ...leg, kind: "fallback", connectionName: "spare", model: "s", gates: [] },
      ],
      estimate: { inputTokens: 9, expectedOutputTokens: 512 },
      errors: [],
    } as unknown as Parameters<typeof routeTestText>[0],
  );
  expect(text).toMatch(/Gold +matched +0: gold IN \["gold"\] is true/);
  expect(text).toMatch(/#2 +skipped/);
  expect(text).toMatch(/main .*connection main: 9 of 9 this minute/);
  expect(text).toContain("Estimated tokens: 9 in, 512 out");
});
