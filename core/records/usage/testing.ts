import type { AuditLeg, AuditTokens, LegCost } from "@vmx/schemas";
import { silentLog } from "../../store/testing.ts";
import type { Statements } from "../../store/statements.ts";
import { createInsert } from "../insert.ts";
import { createPartitions } from "../partitions.ts";
import type { AuditRecord } from "../record.ts";
import { recordText } from "../record-text.ts";
import { sampleRecord } from "../testing.ts";
import { createPointWriter } from "./insert-points.ts";
import { rollupTables } from "./rollups.ts";

/** Numbers between 0 and 1 that a seed decides (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A leg that went well; members can be replaced. */
export function sampleLeg(leg: Partial<AuditLeg> = {}): AuditLeg {
  return {
    index: 0,
    kind: "primary",
    connectionId: "44444444-4444-4444-8444-444444444444",
    connectionName: "echo",
    provider: "echo",
    model: "echo",
    credentialVersion: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 10,
    gate: null,
    retries: [],
    providerRequestId: null,
    statusCode: 200,
    outcome: "ok",
    failureReason: null,
    errorCode: null,
    errorMessage: null,
    timeToFirstTokenMs: 5,
    tokens: null,
    warnings: [],
    ...leg,
  };
}

/** Tokens of which only input and output were reported. */
export function sampleTokens(input: number | null, output: number | null): AuditTokens {
  return {
    inputUncached: input,
    inputCacheRead: null,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
    acceptedPredictionTokens: null,
    rejectedPredictionTokens: null,
    webSearchRequests: null,
    codeExecutionRequests: null,
    promptTokens: input,
    completionTokens: output,
    totalTokens: input === null && output === null ? null : (input ?? 0) + (output ?? 0),
  };
}

/** A request at a time, all else by chance: 0 to 3 legs, failures, models, keys, labels, metadata, costs. */
export function randomRecord(at: number, random: () => number): AuditRecord {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
  const chance = (share: number) => random() < share;
  const count = pick([0, 1, 1, 1, 1, 2, 3]);
  const ok = count > 0 && chance(0.8);
  const legs = Array.from({ length: count }, (_, index) => {
    const served = ok && index === count - 1;
    const tokens = served || chance(0.3)
      ? sampleTokens(Math.floor(random() * 5_000), chance(0.9) ? Math.floor(random() * 900) : null)
      : null;
    const cost: LegCost | undefined = tokens && chance(0.9)
      ? {
        inputUncached: tokens.promptTokens! * 3_000,
        inputCacheRead: 7,
        cacheWrite: 0,
        output: (tokens.output ?? 0) * 15_000,
        reasoning: 0,
        audio: 0,
        requests: 0,
        total: tokens.promptTokens! * 3_000 + 7 + (tokens.output ?? 0) * 15_000,
      }
      : undefined;
    return sampleLeg({
      index,
      kind: index === 0 ? "primary" : "fallback",
      model: pick(["small", "large"]),
      outcome: served ? "ok" : "failed",
      statusCode: served ? 200 : 503,
      failureReason: served ? null : "server_error",
      durationMs: Math.round(random() ** 3 * 200_000) / 100,
      timeToFirstTokenMs: chance(0.5) ? Math.round(random() * 90_000) / 100 : null,
      tokens,
      ...(cost ? { cost } : {}),
    });
  });
  return sampleRecord(at, {
    status: ok ? "ok" : "error",
    statusCode: ok ? 200 : 503,
    resourceId: pick(["r1", "r2", null]),
    apiKeyId: "55555555-5555-4555-8555-555555555555",
    apiKeyLabels: pick([[], ["a"], ["a", "b"]]),
    metadata: chance(0.3) ? { team: pick(["x", "y"]) } : {},
    totalDurationMs: Math.round(random() ** 3 * 400_000) / 100,
    tokensPerSecond: chance(0.5) ? Math.round(random() * 10_000) / 100 : null,
    legs,
  });
}

/** Inserts records with their points as the shipper does. Rejects when the database refuses one. */
export function createInsertRecords(
  statements: Statements,
): (records: readonly AuditRecord[]) => Promise<void> {
  const partitions = createPartitions(
    statements,
    { audit: ["audit", "audit_payloads", "usage_points"], usage: rollupTables },
    silentLog,
  );
  const refused: unknown[] = [];
  const insert = createInsert(
    statements,
    partitions,
    [createPointWriter(statements.schema)],
    (_requestId, error) => void refused.push(error),
  );
  return async (records) => {
    await insert(records.map((record) => ({
      requestId: record.requestId,
      row: Buffer.from(recordText(record)),
    })));
    if (refused.length > 0) throw refused[0];
  };
}
