import type { AuditLeg, LegCost } from "@vmx/schemas";
import type { Measurement } from "../../contract/metric-sink.ts";
import type { AuditRecord } from "../record.ts";
import { type Dimension, type Measure } from "./measures.ts";

/** The measurements of one leg. */
export interface UsagePoint {
  readonly timestamp: string;
  readonly requestId: string;
  readonly legIndex: number;
  readonly auditClass: number;
  readonly usageClass: number;
  readonly apiKeyLabels: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly dimensions: Readonly<Record<Exclude<Dimension, "apiKeyLabel">, string | number | null>>;
  readonly measures: Readonly<Record<Measure, number | null>>;
}

/**
 * The points of a request: one for each leg. A request that came to no leg has one as well, which counts the request
 * and no leg, so that points count as many requests as the audit has rows.
 */
export function pointsOf(record: AuditRecord): UsagePoint[] {
  if (record.legs.length === 0) return [pointOf(record, undefined, true)];
  const last = record.legs.length - 1;
  return record.legs.map((leg, index) => pointOf(record, leg, index === last));
}

/** A point as sinks take it. */
export function measurementOf(point: UsagePoint): Measurement {
  const dimensions: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(point.dimensions)) {
    if (value !== null) dimensions[name] = String(value);
  }
  if (point.apiKeyLabels.length > 0) dimensions["apiKeyLabel"] = point.apiKeyLabels.join(",");
  for (const [key, value] of Object.entries(point.metadata)) {
    dimensions[`metadata.${key}`] = String(value);
  }
  const at = Date.parse(point.timestamp);
  return { at, leg: point.legIndex, measures: point.measures, dimensions };
}

/** The measures of what a leg cost. */
export function costMeasures(cost: LegCost | undefined) {
  return {
    inputCost: cost?.inputUncached ?? null,
    outputCost: cost?.output ?? null,
    cachedCost: cost === undefined ? null : cost.inputCacheRead + cost.cacheWrite,
    reasoningCost: cost?.reasoning ?? null,
    totalCost: cost?.total ?? null,
  };
}

function pointOf(record: AuditRecord, leg: AuditLeg | undefined, isLast: boolean): UsagePoint {
  const outcome = leg ? leg.outcome : record.status;
  const tokens = leg?.tokens ?? null;
  const cost = leg?.cost;
  // Skipped and denied legs never reached the provider.
  const called = leg !== undefined && leg.outcome !== "skipped" && leg.outcome !== "denied";
  return {
    timestamp: record.timestamp,
    requestId: record.requestId,
    legIndex: leg?.index ?? 0,
    auditClass: record.auditClass,
    usageClass: record.usageClass,
    apiKeyLabels: record.apiKeyLabels,
    metadata: record.metadata,
    dimensions: {
      workspaceId: record.workspaceId,
      environmentId: record.environmentId,
      resourceId: record.resourceId,
      connectionId: leg?.connectionId ?? null,
      provider: leg?.provider ?? null,
      model: leg?.model ?? null,
      apiKeyId: record.apiKeyId,
      userId: record.userId,
      endpoint: record.endpoint,
      type: record.type,
      statusCode: (isLast ? record.statusCode : null) ?? leg?.statusCode ?? null,
      failureReason: leg ? leg.failureReason : record.failureReason ?? record.errorCode,
      requestId: record.requestId,
      messageId: leg?.providerRequestId ?? null,
      correlationId: record.correlationId,
      sourceIp: record.sourceIp,
    },
    measures: {
      promptTokens: tokens?.promptTokens ?? null,
      completionTokens: tokens?.completionTokens ?? null,
      totalTokens: tokens?.totalTokens ?? null,
      cachedTokens: tokens?.inputCacheRead ?? null,
      cacheCreationTokens: sum(tokens?.inputCacheWrite5m, tokens?.inputCacheWrite1h),
      reasoningTokens: tokens?.reasoning ?? null,
      requestCount: isLast ? 1 : 0,
      legCount: leg ? 1 : 0,
      successCount: outcome === "ok" ? 1 : 0,
      // That a caller leaves is nobody's fault.
      errorCount: outcome === "ok" || outcome === "aborted" ? 0 : 1,
      tokensPerSecond: isLast ? record.tokensPerSecond : null,
      timeToFirstToken: leg?.timeToFirstTokenMs ?? null,
      requestDuration: isLast ? record.totalDurationMs : null,
      providerDuration: called ? leg.durationMs : null,
      gateDuration: leg?.gate?.durationMs ?? null,
      routingDuration: isLast ? record.routingDurationMs : null,
      ...costMeasures(cost),
    },
  };
}

function sum(one: number | null | undefined, other: number | null | undefined): number | null {
  if ((one ?? null) === null && (other ?? null) === null) return null;
  return (one ?? 0) + (other ?? 0);
}
