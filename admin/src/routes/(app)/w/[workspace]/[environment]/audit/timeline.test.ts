import type { AuditLeg } from "@vmx/sdk";
import { expect, test } from "vitest";
import { timelineOf } from "./timeline.ts";

const arrived = Date.parse("2026-11-21T10:00:00.000Z");
const at = (ms: number) => new Date(arrived + ms).toISOString();
const leg: AuditLeg = {
  index: 0,
  kind: "primary",
  connectionId: "c",
  connectionName: "main",
  provider: "echo",
  model: "m",
  credentialVersion: 1,
  startedAt: at(10),
  durationMs: 300,
  gate: { durationMs: 5, result: "admitted" },
  retries: [],
  providerRequestId: null,
  statusCode: 200,
  outcome: "ok",
  failureReason: null,
  errorCode: null,
  errorMessage: null,
  timeToFirstTokenMs: 100,
  tokens: null,
  warnings: [],
};
const request = { timestamp: at(0), totalDurationMs: 1_000, routingDurationMs: 2, legs: [leg] };

test("a leg is its gate, the wait for the first token, and the answer", () => {
  const { totalMs, lanes } = timelineOf(request);
  expect(totalMs).toBe(1_000);
  expect(lanes[0]!.segments).toMatchObject([{ kind: "routing", startMs: 0, endMs: 10 }]);
  expect(lanes[1]!.segments.map(({ kind, startMs, endMs }) => [kind, startMs, endMs])).toEqual([
    ["gate", 10, 15],
    ["wait", 15, 115],
    ["stream", 115, 310],
  ]);
  expect(lanes[1]!.firstTokenMs).toBe(115);
  expect(lanes[1]!.sentence).toContain("Served after 300 ms");
});

test("a failed leg shows what the provider answered and how long it paused", () => {
  const failed: AuditLeg = {
    ...leg,
    outcome: "failed",
    statusCode: 503,
    timeToFirstTokenMs: null,
    retries: [{ at: at(60), statusCode: 503, delayMs: 40 }],
  };
  const { lanes } = timelineOf({ ...request, legs: [failed] });
  expect(lanes[1]!.segments.map(({ kind, startMs, endMs }) => [kind, startMs, endMs])).toEqual([
    ["gate", 10, 15],
    ["failed", 15, 310],
    ["pause", 60, 100],
  ]);
  expect(lanes[1]!.retries).toEqual([
    { atMs: 60, label: "answered 503, tried again after 40 ms" },
  ]);
});

test("nothing stands outside of the picture, whatever the row says", () => {
  const odd: AuditLeg[] = [
    { ...leg, startedAt: at(-50), durationMs: null, gate: null },
    { ...leg, startedAt: at(5_000), durationMs: 10_000, timeToFirstTokenMs: 99_999 },
  ];
  for (const totalDurationMs of [null, 0, 100]) {
    const { totalMs, lanes } = timelineOf({ ...request, totalDurationMs, legs: odd });
    for (const { startMs, endMs } of lanes.flatMap(({ segments }) => segments)) {
      expect(startMs).toBeGreaterThanOrEqual(0);
      expect(endMs).toBeLessThanOrEqual(totalMs);
    }
  }
  expect(timelineOf({ ...request, legs: [] }).lanes).toHaveLength(1);
});
