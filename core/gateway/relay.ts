import type { JsonObject, TapResult } from "../contract/index.ts";
import { GatewayError } from "../contract/index.ts";
import { appendMember } from "../kit/index.ts";
import { createAbortable } from "./abortable.ts";
import { answerHeaders, visibleWarnings } from "./answer-headers.ts";
import { answerMetrics } from "./answer-metrics.ts";
import { toOutgoing } from "./answer-error.ts";
import { abortReason, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import type { StreamRest } from "./hold.ts";
import { toLegFailure } from "./leg-failure.ts";
import { redactError } from "./redact.ts";
import { type ReplyLine, startReplyLine } from "./reply-line.ts";
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
  if (exchange.capture) exchange.capture.answerHeaders = dispatched.response.headers;
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
  serving.admitted.settle(outcome.facts, outcome.status === "ok");
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
  if (exchange.capture) exchange.capture.answer = text;
  const vmx = JSON.stringify({
    requestId: exchange.requestId,
    events: exchange.events,
    warnings: visibleWarnings(exchange, record),
    metrics: answerMetrics(exchange, record.timeToFirstTokenMs, record.startedAt, facts),
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
  exchange.services.onFirstContent?.(exchange);
  const line = startReplyLine(exchange, reply, answer.oversize);
  try {
    const { endMarker = answer.endMarker, error: streamError } = await relayFrames(
      exchange,
      serving,
      answer,
      line,
    );
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
        metrics: answerMetrics(exchange, timeToFirstTokenMs, startedAt, facts),
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

/** Sends the frames of a stream. What they lost on their way is on the leg's record, however it ends. */
async function relayFrames(
  exchange: Exchange,
  { record, signal }: ServingLeg,
  { held, rest, tap }: Stream,
  line: ReplyLine,
): Promise<Pick<TapResult, "endMarker" | "error">> {
  try {
    for (const bytes of held) await line.send(bytes);
    return rest ? await relayRest(exchange, rest, tap, signal, line) : {};
  } finally {
    record.warnings.push(...tap.warnings?.() ?? []);
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

/**
 * Sends the rest of a stream until its end or an error frame inside it; stops at once when the signal fires, even
 * while the upstream is silent. Answers the end marker and the error, if there were any.
 */
async function relayRest(
  exchange: Exchange,
  { chunks, pending }: StreamRest,
  tap: Stream["tap"],
  signal: AbortSignal,
  line: ReplyLine,
): Promise<Pick<TapResult, "endMarker" | "error">> {
  const abortable = createAbortable(signal);
  let ended = false;
  let endMarker: Uint8Array | undefined;
  try {
    for (let next = pending;; next = undefined) {
      const chunk = await abortable.wait(next ?? chunks.next());
      ended = chunk.done === true;
      const result = chunk.done ? tap.end() : tap.push(chunk.value);
      const bytes = result.error ? withoutSecrets(exchange, result.forward) : result.forward;
      const slow = line.send(bytes, result.oversize);
      if (slow) await slow;
      endMarker = result.endMarker ?? endMarker;
      if (ended || result.error) {
        const { error } = result;
        return {
          ...(endMarker ? { endMarker } : {}),
          ...(error ? { error: redactError(error, exchange.services.redact) } : {}),
        };
      }
    }
  } finally {
    abortable.stop();
    // Not awaited: an upstream that hangs may hang here too.
    if (!ended) chunks.return?.()?.catch(() => {});
  }
}

/** The frames that tell a provider's error; it may repeat what it was sent. */
function withoutSecrets({ services }: Exchange, bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const safe = services.redact(text);
  return safe === text ? bytes : Buffer.from(safe);
}
