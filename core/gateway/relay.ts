import type { AnswerFacts, JsonObject, TapResult } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { appendMember } from "../kit/index.ts";
import { createAbortable } from "./abortable.ts";
import { answerHeaders, visibleWarnings } from "./answer-headers.ts";
import { toOutgoing } from "./answer-error.ts";
import { abortReason, elapsedMs, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import type { StreamRest } from "./hold.ts";
import { toLegFailure } from "./leg-failure.ts";
import type { ServingLeg } from "./try-legs.ts";

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

/** What the relay can tell of an exchange's end. */
export type RelayOutcome = Pick<
  Outcome,
  "status" | "statusCode" | "errorCode" | "errorMessage" | "facts"
>;

/** Sends the answer a leg was held for: a plain one whole, a stream as it comes. */
export async function relay(
  exchange: Exchange,
  serving: ServingLeg,
  reply: Reply,
): Promise<RelayOutcome> {
  const { record, dispatched, answer } = serving;
  const headers = answerHeaders(exchange, record, dispatched.response.headers);
  const outcome = answer.kind === "plain"
    ? relayPlain(exchange, serving, answer, headers, reply)
    : await relayStream(exchange, serving, answer, headers, reply);
  record.durationMs = exchange.services.clock.monotonic() - record.startedAt;
  record.outcome = outcome.status === "ok"
    ? "ok"
    : outcome.status === "aborted"
    ? "aborted"
    : "partial";
  if (outcome.facts?.tokens) record.tokens = outcome.facts.tokens;
  return outcome;
}

type Plain = Extract<ServingLeg["answer"], { kind: "plain" }>;
type Stream = Extract<ServingLeg["answer"], { kind: "stream" }>;

function relayPlain(
  exchange: Exchange,
  { record, dispatched }: ServingLeg,
  { text, facts }: Plain,
  headers: Record<string, string>,
  reply: Reply,
): RelayOutcome {
  const { status } = dispatched.response;
  const vmx = JSON.stringify({
    requestId: exchange.requestId,
    events: exchange.events,
    warnings: visibleWarnings(exchange, record),
    metrics: metrics(exchange, record.timeToFirstTokenMs, record.startedAt, facts),
  });
  // A string leaves in one write with its head; a buffer would take two.
  const counted = exchange.request.endpoint.operation === "count-tokens";
  const body = counted ? text : appendMember(text, "vmx", vmx);
  headers["content-type"] = "application/json; charset=utf-8";
  headers["content-length"] = String(Buffer.byteLength(body));
  reply.head(status, headers);
  reply.end(body);
  return { status: "ok", statusCode: status, facts };
}

async function relayStream(
  exchange: Exchange,
  serving: ServingLeg,
  answer: Stream,
  headers: Record<string, string>,
  reply: Reply,
): Promise<RelayOutcome> {
  const { tap } = answer;
  const { status } = serving.dispatched.response;
  reply.head(status, { ...headers, ...streamHeaders });
  const line = startLine(exchange, reply, answer.oversize);
  let endMarker = answer.endMarker;
  let streamError: TapResult["error"];
  try {
    for (const bytes of answer.held) await line.send(bytes);
    if (answer.rest) {
      for await (const result of drain(answer.rest, tap, serving.signal)) {
        endMarker = result.endMarker ?? endMarker;
        streamError ??= result.error;
        await line.send(result.forward, result.oversize);
        if (streamError) break;
      }
    }
    const facts = tap.facts();
    if (streamError) {
      reply.end();
      return {
        status: "partial",
        statusCode: status,
        errorCode: streamError.code || streamError.type || "upstream_error",
        errorMessage: streamError.message,
        facts,
      };
    }
    if (!facts.complete) {
      throw new GatewayError(
        "upstream_invalid_response",
        "The provider's stream ended without a finish",
      );
    }
    if (exchange.envelope.includeMetrics && line.atBorder()) {
      const { inbound } = exchange.dialect;
      const { timeToFirstTokenMs, startedAt } = serving.record;
      const context = {
        operation: exchange.request.endpoint.operation,
        requestId: exchange.requestId,
        stream: true,
        now: Math.floor(exchange.arrivedAt / 1000),
        model: facts.model ?? serving.record.model,
        includeUsage: true,
      };
      reply.write(inbound.metricsFrame({
        requestId: exchange.requestId,
        events: exchange.events as unknown as JsonObject[],
        warnings: visibleWarnings(exchange, serving.record) as unknown as JsonObject[],
        metrics: metrics(exchange, timeToFirstTokenMs, startedAt, facts),
      }, context));
    }
    reply.end(endMarker);
    return { status: "ok", statusCode: status, facts };
  } catch (error) {
    return breakOff(exchange, serving, error, reply, line.atBorder(), status);
  } finally {
    line.stop();
  }
}

/** Ends a stream that cannot be finished: with an error frame for a reader who is still there. */
function breakOff(
  exchange: Exchange,
  { signal, answer }: ServingLeg,
  error: unknown,
  reply: Reply,
  atBorder: boolean,
  status: number,
): RelayOutcome {
  const facts = (answer as Stream).tap.facts();
  const cause = signal.aborted ? abortReason(signal) : error;
  const gone = cause instanceof GatewayError && cause.code === "client_closed_request";
  const outgoing = toOutgoing(
    exchange,
    cause instanceof GatewayError ? cause : toLegFailure(cause),
  );
  if (!gone && atBorder) reply.end(exchange.dialect.inbound.errorFrame(outgoing, facts.sequence));
  else reply.end();
  return {
    status: gone ? "aborted" : "partial",
    statusCode: gone ? 499 : status,
    errorCode: outgoing.code,
    errorMessage: outgoing.message,
    facts,
  };
}

/** Reads the rest of a stream; stops at once when the signal fires, even while the upstream is silent. */
async function* drain(
  { chunks, pending }: StreamRest,
  tap: Stream["tap"],
  signal: AbortSignal,
): AsyncGenerator<TapResult> {
  const abortable = createAbortable(signal);
  let ended = false;
  try {
    for (let next = pending;; next = undefined) {
      const chunk = await abortable.wait(next ?? chunks.next());
      if (chunk.done) break;
      yield tap.push(chunk.value);
    }
    ended = true;
    yield tap.end();
  } finally {
    abortable.stop();
    // Not awaited: an upstream that hangs may hang here too.
    if (!ended) chunks.return?.()?.catch(() => {});
  }
}

/** The line to the reader: waits while the reader is slow and breaks long silences with keep-alives. */
function startLine(exchange: Exchange, reply: Reply, oversize: boolean) {
  const { keepAliveMs } = exchange.services.limits;
  const { keepAlive } = exchange.dialect.inbound;
  let border = !oversize;
  let waiting = false;
  let lastSentAt = performance.now();
  const timer = setInterval(() => {
    if (!border || waiting || performance.now() - lastSentAt < keepAliveMs) return;
    lastSentAt = performance.now();
    reply.write(keepAlive);
  }, keepAliveMs);
  return {
    async send(bytes: Uint8Array, unfinished = false): Promise<void> {
      if (bytes.length === 0) return;
      border = !unfinished;
      lastSentAt = performance.now();
      const slow = reply.write(bytes);
      if (!slow) return;
      waiting = true;
      await slow;
      waiting = false;
    },
    atBorder: () => border,
    stop: () => clearInterval(timer),
  };
}

function metrics(
  exchange: Exchange,
  timeToFirstTokenMs: number | undefined,
  legStartedAt: number,
  facts: AnswerFacts,
): JsonObject {
  const totalDurationMs = elapsedMs(exchange);
  const legMs = exchange.services.clock.monotonic() - legStartedAt;
  const output = facts.tokens?.completionTotal ?? null;
  const seconds = (legMs - (timeToFirstTokenMs ?? 0)) / 1000;
  return {
    gateDurationMs: null,
    routingDurationMs: null,
    timeToFirstTokenMs: round(timeToFirstTokenMs ?? null),
    tokensPerSecond: output !== null && seconds > 0.001 ? round(output / seconds) : null,
    totalDurationMs: round(totalDurationMs),
  };
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}
