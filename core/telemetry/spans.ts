import type { AuditLeg, AuditTokens } from "@vmx/schemas";
import type { AttributeValue, Span } from "../contract/index.ts";
import type { Exchange, ExchangeTrace, Outcome } from "../gateway/exchange.ts";
import type { LegRecord } from "../gateway/leg.ts";
import { mergedRequest } from "../gateway/merged-request.ts";
import type { AuditRecord } from "../records/record.ts";
import { genAi, spanNames } from "./names.ts";
import { errorType, genAiOperation } from "./note-request.ts";
import { createSpanId } from "./trace-context.ts";

/** What the making of spans is told beside the request itself. */
export interface SpanOptions {
  /** The word of the semantic conventions for a provider. */
  readonly providerName: (provider: string) => string;
}

type Attributes = Record<string, AttributeValue>;

/**
 * The spans of a finished request: the server's, one for its rules, one per leg. No text of messages, no texts of
 * errors: what a provider writes into those may repeat the question.
 *
 * @param record the request's record; undefined when its caller was never known
 */
export function spansOf(
  outcome: Outcome,
  trace: ExchangeTrace,
  record: AuditRecord | undefined,
  options: SpanOptions,
): readonly Span[] {
  const { exchange } = outcome;
  const common = { traceId: trace.context.traceId, ...stateOf(trace) };
  const child = { ...common, parentSpanId: trace.spanId };
  const spans: Span[] = [serverSpan(outcome, trace, record)];
  if (exchange.routing?.evaluated) {
    const endAt = at(exchange, exchange.legs[0]?.startedAt ?? exchange.startedAt);
    const matched = exchange.routing.selected?.routeId;
    spans.push({
      ...child,
      spanId: createSpanId(),
      name: "routing",
      kind: "internal",
      startAt: Math.max(exchange.arrivedAt, endAt - exchange.routing.durationMs),
      endAt: Math.max(endAt, exchange.arrivedAt),
      failed: false,
      attributes: {
        [spanNames.requestId]: exchange.requestId,
        ...(matched === undefined ? {} : { [spanNames.matchedRoute]: matched }),
      },
    });
  }
  for (const [index, leg] of exchange.legs.entries()) {
    const startAt = at(exchange, leg.startedAt);
    const error = errorType(leg);
    spans.push({
      ...child,
      spanId: leg.spanId ?? createSpanId(),
      name: `${genAiOperation(exchange.request.endpoint.operation)} ${leg.model}`,
      kind: "client",
      startAt,
      endAt: startAt + (leg.durationMs ?? Math.max(0, endOf(outcome) - startAt)),
      failed: error !== undefined,
      attributes: legAttributes(outcome, leg, record?.legs[index], error, options),
    });
  }
  return spans;
}

function serverSpan(outcome: Outcome, trace: ExchangeTrace, record: AuditRecord | undefined): Span {
  const { exchange, errorCode, statusCode } = outcome;
  const { parentSpanId } = trace.context;
  const { request } = exchange;
  const route = request.route ?? `/v1/${request.endpoint.name.toLowerCase()}`;
  const failed = statusCode >= 500 || outcome.status === "partial";
  return {
    traceId: trace.context.traceId,
    ...stateOf(trace),
    spanId: trace.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId, isParentRemote: true }),
    name: `POST ${route}`,
    kind: "server",
    startAt: exchange.arrivedAt,
    endAt: endOf(outcome),
    failed,
    attributes: {
      [spanNames.method]: "POST",
      [spanNames.route]: route,
      [spanNames.statusCode]: statusCode,
      [spanNames.clientAddress]: request.sourceIp,
      ...(statusCode >= 400 || failed
        ? { [spanNames.errorType]: errorCode ?? String(statusCode) }
        : {}),
      ...requestAttributes(exchange),
      ...metadataOf(record),
    },
  };
}

function legAttributes(
  outcome: Outcome,
  leg: LegRecord,
  recorded: AuditLeg | undefined,
  error: string | undefined,
  options: SpanOptions,
): Attributes {
  const { exchange } = outcome;
  const isLast = leg === exchange.legs.at(-1);
  const attributes: Attributes = {
    ...requestAttributes(exchange),
    ...metadataOf({ metadata: exchange.envelope.metadata }),
    [spanNames.connectionId]: leg.connectionId,
    [spanNames.legIndex]: leg.index,
    [spanNames.legKind]: leg.kind,
    ...(error === undefined ? {} : { [spanNames.errorType]: error }),
  };
  // Only calls of models bear gen_ai.*: a leg turned away before is none.
  if (!leg.called) return attributes;
  attributes[genAi.operation] = genAiOperation(exchange.request.endpoint.operation);
  attributes[genAi.provider] = options.providerName(leg.provider);
  attributes[genAi.requestModel] = leg.model;
  const address = serverAddress(exchange, leg);
  if (address !== undefined) attributes[spanNames.serverAddress] = address;
  if (leg.statusCode !== undefined) attributes[spanNames.statusCode] = leg.statusCode;
  addRequest(attributes, exchange);
  if (isLast) addAnswer(attributes, outcome);
  addTokens(attributes, recorded?.tokens ?? null);
  return attributes;
}

function requestAttributes(exchange: Exchange): Attributes {
  const { caller, target } = exchange;
  return {
    [spanNames.requestId]: exchange.requestId,
    ...(caller
      ? {
        [spanNames.workspaceId]: caller.environment.workspaceId,
        [spanNames.environmentId]: caller.environment.environmentId,
      }
      : {}),
    ...(target?.kind === "resource" ? { [spanNames.resourceName]: target.resource.name } : {}),
  };
}

function metadataOf(record: Pick<AuditRecord, "metadata"> | undefined): Attributes {
  const entries = Object.entries(record?.metadata ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [spanNames.metadata + key, value]));
}

function addRequest(attributes: Attributes, exchange: Exchange): void {
  const { body, facts } = mergedRequest(exchange);
  const { maxOutputTokens } = facts;
  if (maxOutputTokens !== undefined) attributes[genAi.maxTokens] = maxOutputTokens;
  // Every dialect callers can speak spells these two alike.
  const { temperature, top_p: topP } = body;
  if (typeof temperature === "number") attributes[genAi.temperature] = temperature;
  if (typeof topP === "number") attributes[genAi.topP] = topP;
}

function addAnswer(attributes: Attributes, { facts }: Outcome): void {
  if (facts?.model !== undefined) attributes[genAi.responseModel] = facts.model;
  if (facts?.id !== undefined) attributes[genAi.responseId] = facts.id;
  // As the provider spells it; the word is short with every known one.
  const finish = facts?.finishRaw ?? facts?.finish;
  if (finish !== undefined) attributes[genAi.finishReasons] = [finish.slice(0, 64)];
}

function addTokens(attributes: Attributes, tokens: AuditTokens | null): void {
  if (tokens === null) return;
  const creation = [tokens.inputCacheWrite5m, tokens.inputCacheWrite1h].filter((n) => n !== null);
  const counts = {
    [genAi.inputTokens]: tokens.promptTokens,
    [genAi.outputTokens]: tokens.completionTokens,
    [genAi.cacheReadTokens]: tokens.inputCacheRead,
    [genAi.cacheCreationTokens]: creation.length === 0 ? null : creation.reduce((a, b) => a + b),
    [genAi.reasoningTokens]: tokens.reasoning,
  };
  for (const [name, count] of Object.entries(counts)) {
    if (count !== null) attributes[name] = count;
  }
}

/** The host a leg went to, where its connection names one. */
function serverAddress({ caller }: Exchange, leg: LegRecord): string | undefined {
  const { baseUrl } = caller?.environment.connections.get(leg.connectionId)?.config ?? {};
  return typeof baseUrl === "string" ? URL.parse(baseUrl)?.hostname : undefined;
}

function stateOf({ context }: ExchangeTrace): Pick<Span, "traceState"> {
  return context.state === undefined ? {} : { traceState: context.state };
}

/** A monotonic moment of a request as Unix milliseconds. */
function at({ arrivedAt, startedAt }: Exchange, monotonic: number): number {
  return arrivedAt + monotonic - startedAt;
}

function endOf({ exchange, totalDurationMs }: Outcome): number {
  return exchange.arrivedAt + totalDurationMs;
}
