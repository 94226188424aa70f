import type { AuditGate, AuditLeg, AuditRow, AuditTokens } from "@vmx/schemas";
import type { RoutingTrace, Warning } from "@vmx/schemas";
import type { AnswerFacts, Operation, Tokens } from "../contract/index.ts";
import type { Exchange, Outcome } from "../gateway/exchange.ts";
import type { LegRecord } from "../gateway/leg.ts";
import { type RetentionClass, retentionClassOf } from "./retention-class.ts";
import { recordTokens } from "./tokens.ts";

/**
 * One request's record: what the audit row holds, legs included, beside payloads. It is written to the spool as JSON
 * and inserted as it stands there; sinks are given the same object.
 */
export interface AuditRecord extends Omit<AuditRow, "status"> {
  readonly status: AuditRow["status"];
  readonly routing: RoutingTrace | null;
  /** How long the audit row is kept; part of its key. */
  readonly auditClass: RetentionClass;
  /** How long usage points of the request are kept. */
  readonly usageClass: RetentionClass;
  /** What was meant to be kept of request and answer; `dropped` when the spool had no room for them. */
  readonly payloadCapture: "full" | "metadata" | "none" | "dropped";
}

/** Adds what a finished request and its legs cost. */
export type PriceRecord = (record: AuditRecord) => AuditRecord;

const maxMessageLength = 2_000;

/** What is noted of a request when it begins: identity, caller and target. */
export type StartedNote = ReturnType<typeof startedNote>;

/** The record of a request that has not ended: what is left of it if the process dies. */
export function unfinishedRecord(note: StartedNote): AuditRecord {
  return { ...unfinished, ...note };
}

const unfinished: Omit<AuditRecord, keyof StartedNote> = {
  connectionId: null,
  provider: null,
  model: null,
  providerModel: null,
  serviceTier: null,
  systemFingerprint: null,
  status: "interrupted",
  statusCode: null,
  errorCode: null,
  errorMessage: null,
  failureReason: null,
  finishReason: null,
  warnings: [],
  totalDurationMs: null,
  gateDurationMs: null,
  routingDurationMs: null,
  providerDurationMs: null,
  timeToFirstTokenMs: null,
  tokensPerSecond: null,
  tokens: null,
  usageSource: null,
  cost: null,
  originalCost: null,
  ratedAt: null,
  events: [],
  legs: [],
  revision: null,
  routing: null,
};

/** The record of a finished request; its caller must be known. */
export function finishedRecord(
  outcome: Outcome,
  price: PriceRecord = (record) => record,
): AuditRecord {
  const { exchange, facts } = outcome;
  const { legs, services } = exchange;
  const last = legs.at(-1);
  const usage = usageOf(outcome, last);
  const warnings: Warning[] = [...exchange.warnings, ...legs.flatMap((leg) => leg.warnings)];
  if (usage.inconsistent) {
    warnings.push({ code: "usage_inconsistent", path: "/usage", action: "approximated" });
  }
  const gates = legs.flatMap(({ gate }) => gate ?? []);
  const timeToFirstTokenMs = last?.timeToFirstTokenMs ?? null;
  const routing = routingOf(exchange);
  const served = outcome.status === "ok" || outcome.status === "partial";
  const record: AuditRecord = {
    ...startedNote(exchange),
    connectionId: last?.connectionId ?? null,
    provider: last?.provider ?? null,
    model: last?.model ?? null,
    providerModel: facts?.model ?? null,
    serviceTier: facts?.serviceTier ?? null,
    systemFingerprint: facts?.systemFingerprint ?? null,
    status: statusOf(outcome, last),
    statusCode: outcome.statusCode,
    errorCode: outcome.errorCode ?? null,
    errorMessage: messageOf(outcome.errorMessage, services.redact),
    failureReason: served ? null : last?.failureReason ?? null,
    finishReason: facts?.finish ?? null,
    warnings,
    totalDurationMs: round(outcome.totalDurationMs),
    gateDurationMs: gates.length === 0
      ? null
      : round(gates.reduce((total, gate) => total + gate.durationMs, 0)),
    routingDurationMs: routing === null ? null : round(routing.durationMs),
    providerDurationMs: last?.durationMs === undefined ? null : round(last.durationMs),
    timeToFirstTokenMs: timeToFirstTokenMs === null ? null : round(timeToFirstTokenMs),
    tokensPerSecond: tokensPerSecond(usage.tokens, last),
    tokens: usage.tokens,
    usageSource: usage.source,
    cost: null,
    originalCost: null,
    ratedAt: null,
    events: exchange.events as unknown as Record<string, unknown>[],
    legs: legs.map((leg) => legOf(leg, exchange, leg === last ? usage.tokens : null)),
    revision: exchange.snapshot.revision,
    routing,
  };
  return price(record);
}

/** See StartedNote; the caller must be known. */
export function startedNote(exchange: Exchange) {
  const { caller, request, envelope, target, body } = exchange;
  const { environment } = caller!;
  const { settings } = environment;
  const apiKey = caller!.kind === "api-key" ? caller!.apiKey : undefined;
  return {
    requestId: exchange.requestId,
    timestamp: new Date(exchange.arrivedAt).toISOString(),
    auditClass: retentionClassOf(settings.auditRetentionDays),
    usageClass: retentionClassOf(settings.usageRetentionDays),
    payloadCapture: settings.payloadCapture,
    workspaceId: environment.workspaceId,
    environmentId: environment.environmentId,
    type: request.batch ? "COMPLETION_BATCH" as const : types[request.endpoint.operation],
    endpoint: request.endpoint.name,
    stream: body?.stream ?? false,
    batchId: request.batch?.batchId ?? null,
    batchItemId: request.batch?.batchItemId ?? null,
    correlationId: envelope.correlationId ?? null,
    metadata: envelope.metadata,
    apiKeyId: apiKey?.apiKeyId ?? null,
    apiKeyName: apiKey?.name ?? null,
    apiKeyLabels: apiKey ? [...apiKey.labels] : [],
    userId: caller!.kind === "user" ? caller!.userId : null,
    sourceIp: request.sourceIp,
    userAgent: request.headers["user-agent"]?.slice(0, 512) ?? null,
    resourceId: target === undefined
      ? null
      : target.kind === "resource"
      ? target.resource.resourceId
      : "ephemeral",
    resourceName: target?.kind === "resource"
      ? target.resource.name
      : body?.model.slice(0, 256) ?? null,
  };
}

const types: Readonly<Record<Operation, AuditRow["type"]>> = {
  chat: "COMPLETION",
  embeddings: "EMBEDDING",
  "count-tokens": "COUNT_TOKENS",
  models: "COMPLETION",
};

/** A request every leg of which was turned away by a limit is a denial, whatever the last one was called. */
function statusOf({ status }: Outcome, last: LegRecord | undefined): AuditRow["status"] {
  return status === "error" && last?.outcome === "denied" ? "denied" : status;
}

function legOf(leg: LegRecord, exchange: Exchange, tokens: AuditTokens | null): AuditLeg {
  const { services, startedAt, arrivedAt } = exchange;
  return {
    index: leg.index,
    kind: leg.kind,
    connectionId: leg.connectionId,
    connectionName: leg.connectionName ?? null,
    provider: leg.provider,
    model: leg.model,
    credentialVersion: leg.credentialVersion ?? null,
    startedAt: new Date(arrivedAt + leg.startedAt - startedAt).toISOString(),
    durationMs: leg.durationMs === undefined ? null : round(leg.durationMs),
    gate: leg.gate as AuditGate | undefined ?? null,
    retries: leg.retries.map(({ at, statusCode, delayMs }) => ({
      at: new Date(at).toISOString(),
      statusCode,
      delayMs: round(delayMs),
    })),
    providerRequestId: leg.providerRequestId ?? null,
    statusCode: leg.statusCode ?? null,
    outcome: leg.outcome ?? null,
    failureReason: leg.failureReason ?? null,
    errorCode: leg.errorCode ?? null,
    errorMessage: messageOf(leg.errorMessage, services.redact),
    timeToFirstTokenMs: leg.timeToFirstTokenMs === undefined ? null : round(leg.timeToFirstTokenMs),
    tokens: tokens ?? (leg.tokens ? recordTokens(leg.tokens).tokens : null),
    warnings: leg.warnings,
  };
}

interface Usage {
  readonly tokens: AuditTokens | null;
  readonly source: AuditRow["usageSource"];
  readonly inconsistent: boolean;
}

const noUsage: Usage = { tokens: null, source: "missing", inconsistent: false };

/** What the provider reported; of a broken-off stream at least what was delivered; else an estimate. */
function usageOf({ exchange, facts, status }: Outcome, last: LegRecord | undefined): Usage {
  if (!facts) return noUsage;
  const reported = facts.tokens;
  const brokenOff = status === "aborted" || status === "partial";
  if (reported && !(brokenOff && (reported.output ?? 0) < facts.estimatedOutputTokens)) {
    return { ...recordTokens(reported), source: "provider" };
  }
  if (!last || exchange.request.endpoint.operation === "count-tokens") return noUsage;
  return {
    tokens: recordTokens(estimate(exchange, facts, reported)).tokens,
    source: "estimated",
    inconsistent: false,
  };
}

function estimate(exchange: Exchange, facts: AnswerFacts, reported: Tokens | undefined): Tokens {
  const output = facts.estimatedOutputTokens;
  if (reported) return { ...reported, output, completionTotal: null };
  const { body, dialect, request } = exchange;
  return {
    inputUncached: dialect.inbound.inspect(body!.value, request.endpoint.operation).inputTokens,
    inputCacheRead: null,
    inputCacheWrite5m: null,
    inputCacheWrite1h: null,
    output,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
  };
}

function tokensPerSecond(tokens: AuditTokens | null, leg: LegRecord | undefined): number | null {
  if (!leg || leg.durationMs === undefined || leg.timeToFirstTokenMs === undefined) return null;
  const seconds = (leg.durationMs - leg.timeToFirstTokenMs) / 1000;
  const count = tokens?.completionTokens ?? null;
  return count === null || seconds <= 0.001 ? null : round(count / seconds);
}

function messageOf(message: string | undefined, redact: (text: string) => string): string | null {
  if (message === undefined) return null;
  // Cut before and after: the search for secrets is not run over megabytes, and never sees half a secret at the end.
  return redact(message.slice(0, 2 * maxMessageLength)).slice(0, maxMessageLength);
}

function routingOf(exchange: Exchange & { readonly routing?: RoutingTrace }): RoutingTrace | null {
  return exchange.routing ?? null;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
