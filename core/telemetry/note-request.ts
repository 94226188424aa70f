import type { AuditTokens } from "@vmx/schemas";
import type { Exchange, Outcome } from "../gateway/exchange.ts";
import type { LegRecord } from "../gateway/leg.ts";
import type { AuditRecord } from "../records/record.ts";
import type { LabelSet } from "./label-sets.ts";
import type { Metrics } from "./metrics.ts";

/**
 * Notes what a finished request adds to the metrics. Works on what the request has left behind: nothing is measured
 * for it alone.
 *
 * @param record the request's record; undefined when its caller was never known
 */
export function noteRequest(
  metrics: Metrics,
  outcome: Outcome,
  record: AuditRecord | undefined,
): void {
  const { instruments: to } = metrics;
  const { exchange } = outcome;
  const { operation } = exchange.request.endpoint;
  const last = exchange.legs.at(-1);
  const target = targetOf(metrics, exchange, last);
  const status = record?.status ?? outcome.status;
  const statusClass = classOf(outcome.statusCode);
  to.requests.note(target, 1, operation, exchange.dialect.inbound.format, status, statusClass);
  if (!exchange.caller && (outcome.statusCode === 401 || outcome.statusCode === 429)) {
    to.authFailures.note(metrics.process, 1, statusClass);
  }
  if (status === "aborted") to.aborted.note(target, 1);
  if (status === "partial") to.partial.note(target, 1);
  to.requestDuration.note(target, outcome.totalDurationMs / 1000, operation);
  const withProviders = exchange.legs.reduce((sum, leg) => sum + providerMs(leg), 0);
  to.overhead.note(target, Math.max(0, outcome.totalDurationMs - withProviders) / 1000, operation);
  if (exchange.routing?.evaluated) {
    to.routingDuration.note(target, exchange.routing.durationMs / 1000);
  }
  if (exchange.routingErrors) to.routingErrors.note(target, exchange.routingErrors);
  for (const leg of exchange.legs) noteLeg(metrics, exchange, leg);
  for (const { code } of record?.warnings ?? []) to.translationWarnings.note(target, 1, code);
  if (record) noteUsage(metrics, target, record);
}

/** The labels of a request or of one of its legs. Names, as people know them; never what a caller may invent freely. */
export function targetOf(
  metrics: Metrics,
  exchange: Exchange,
  leg: LegRecord | undefined,
): LabelSet {
  const { caller, snapshot, target } = exchange;
  const environment = caller?.environment;
  return metrics.targets.of(
    environment ? snapshot.workspaces.get(environment.workspaceId)?.name ?? "" : "",
    environment?.name ?? "",
    target === undefined ? "" : target.kind === "resource" ? target.resource.name : "ephemeral",
    leg?.connectionName ?? leg?.connectionId ?? "",
    leg?.provider ?? "",
    leg?.model ?? "",
  );
}

function noteLeg(metrics: Metrics, exchange: Exchange, leg: LegRecord): void {
  const { instruments: to } = metrics;
  const target = targetOf(metrics, exchange, leg);
  const reason = leg.failureReason ?? "";
  to.legs.note(target, 1, leg.kind, leg.outcome ?? "aborted", reason);
  if (leg.index < exchange.legs.length - 1) to.fallbacks.note(target, 1, reason);
  if (leg.retries.length > 0) to.retries.note(target, leg.retries.length);
  if (leg.gate && leg.gate.result !== "skipped") {
    metrics.limits.note(target, leg.gate, exchange.services.clock.now());
    to.gateDuration.note(target, leg.gate.durationMs / 1000);
    for (const failing of leg.gate.failing) {
      if ("pool" in failing) to.poolDenied.note(target, 1, failing.pool ?? "", failing.rule);
      else to.capacityDenied.note(target, 1, failing.level, failing.period, failing.axis);
    }
  }
  if (!leg.called) return;
  const seconds = providerMs(leg) / 1000;
  to.providerDuration.note(target, seconds);
  const { operation } = exchange.request.endpoint;
  const model = metrics.models.of(genAiOperation(operation), leg.provider, leg.model);
  to.operationDuration.note(model, seconds, errorType(leg) ?? "");
  if (leg.timeToFirstTokenMs === undefined) return;
  to.firstToken.note(target, leg.timeToFirstTokenMs / 1000);
  if (exchange.body?.stream) to.serverFirstToken.note(model, leg.timeToFirstTokenMs / 1000);
}

function noteUsage(metrics: Metrics, target: LabelSet, record: AuditRecord): void {
  const { instruments: to } = metrics;
  const { cost, tokens, tokensPerSecond, type } = record;
  const served = record.status === "ok" || record.status === "partial";
  if (tokensPerSecond !== null) to.tokensPerSecond.note(target, tokensPerSecond);
  if (served && record.usageSource === "missing" && type !== "COUNT_TOKENS") {
    to.usageMissing.note(target, 1);
  }
  if (cost) to.cost.note(target, cost.total, cost.currency);
  else if (tokens && type !== "COUNT_TOKENS") to.unpriced.note(target, 1);
  if (!tokens) return;
  noteSome(to.requestTokens.note, target, tokens.promptTokens);
  noteSome(to.responseTokens.note, target, tokens.completionTokens);
  noteSome(to.totalTokens.note, target, tokens.totalTokens);
  noteSome(to.cacheTokens.note, target, tokens.inputCacheRead);
  noteSome(to.cacheCreationTokens.note, target, cacheCreation(tokens));
  noteSome(to.reasoningTokens.note, target, tokens.reasoning);
  const operation = type === "EMBEDDING" ? "embeddings" : "chat";
  const model = metrics.models.of(operation, record.provider ?? "", record.model ?? "");
  if (tokens.promptTokens !== null) to.tokenUsage.note(model, tokens.promptTokens, "input");
  if (tokens.completionTokens !== null) {
    to.tokenUsage.note(model, tokens.completionTokens, "output");
  }
}

function noteSome(
  note: (set: LabelSet, value: number) => void,
  target: LabelSet,
  value: number | null,
): void {
  if (value) note(target, value);
}

function cacheCreation({ inputCacheWrite1h, inputCacheWrite5m }: AuditTokens): number {
  return (inputCacheWrite1h ?? 0) + (inputCacheWrite5m ?? 0);
}

/** The word of the semantic conventions for what a leg does. */
export function genAiOperation(operation: string): string {
  return operation === "count-tokens" ? "count_tokens" : operation;
}

/** Why a leg failed, in few words of a closed vocabulary; undefined when it did not. */
export function errorType({ failureReason, outcome }: LegRecord): string | undefined {
  if (outcome === "ok") return undefined;
  return failureReason ?? outcome ?? "aborted";
}

/** Milliseconds a leg spent with its provider. */
function providerMs(leg: LegRecord): number {
  if (!leg.called || leg.durationMs === undefined) return 0;
  return Math.max(0, leg.durationMs - (leg.gate?.durationMs ?? 0));
}

function classOf(statusCode: number): string {
  return `${Math.floor(statusCode / 100)}xx`;
}
