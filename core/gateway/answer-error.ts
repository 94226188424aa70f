import type { JsonObject, OutgoingError } from "../contract/index.ts";
import { errorTable, GatewayError } from "../contract/index.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { isErrorCode, LegFailure } from "./leg-failure.ts";

const waitingIsPointlessAboveSeconds = 60;

/** Answers an error in the caller's dialect. Called only while nothing has been sent yet. */
export function answerError(exchange: Exchange, error: GatewayError | LegFailure, reply: Reply) {
  const outgoing = toOutgoing(exchange, error);
  const failure = error instanceof LegFailure ? error : undefined;
  const upstream = failure?.upstream;
  const sameDialect = upstream?.dialect === exchange.dialect.id;
  const body = sameDialect ? upstream!.body : JSON.stringify(encode(exchange, outgoing));
  const bytes = Buffer.from(body);
  reply.head(outgoing.status, {
    ...answerHeaders(exchange, exchange.legs.at(-1), upstream?.headers),
    ...retryHeaders(failure?.gatewayError ?? error, outgoing.status),
    "content-type": "application/json; charset=utf-8",
    "content-length": String(bytes.length),
  });
  reply.end(bytes);
  return outgoing;
}

/** An error in neutral words, as dialects take it. */
export function toOutgoing(
  { requestId, services }: Pick<Exchange, "requestId" | "services">,
  error: GatewayError | LegFailure,
): OutgoingError {
  if (error instanceof GatewayError) {
    return {
      status: error.status,
      kind: error.kind,
      code: error.code,
      message: services.redact(error.message),
      requestId,
      ...(error.param === undefined ? {} : { param: error.param }),
      ...(error.details ? { details: error.details } : {}),
    };
  }
  if (error.gatewayError) return toOutgoing({ requestId, services }, error.gatewayError);
  const known = isErrorCode(error.code) ? errorTable[error.code] : undefined;
  return {
    status: error.status,
    kind: known?.kind ?? kindOf(error.status),
    code: error.code,
    message: services.redact(error.message),
    requestId,
    ...(error.wire?.type && !known ? { type: error.wire.type } : {}),
    ...(error.wire?.param ? { param: error.wire.param } : {}),
  };
}

function kindOf(status: number): OutgoingError["kind"] {
  if (status === 401) return "authentication";
  if (status === 403) return "permission";
  if (status === 404) return "not-found";
  if (status === 413) return "too-large";
  if (status === 429 || status === 402) return "rate-limit";
  if (status === 408 || status === 504) return "timeout";
  if (status === 503 || status === 529) return "overloaded";
  return status >= 500 ? "internal" : "invalid-request";
}

function encode(exchange: Exchange, outgoing: OutgoingError): JsonObject {
  return exchange.dialect.inbound.encodeError(outgoing);
}

function retryHeaders(error: GatewayError | LegFailure, status: number): Record<string, string> {
  const headers: Record<string, string> = {};
  const seconds = error instanceof GatewayError
    ? error.retryAfterSeconds
    : error.retryAfterMs === undefined
    ? undefined
    : error.retryAfterMs / 1000;
  if (seconds !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(seconds)));
  const should = error instanceof GatewayError ? error.shouldRetry : undefined;
  if (should !== undefined) headers["x-should-retry"] = String(should);
  else if ([400, 401, 403, 404].includes(status)) headers["x-should-retry"] = "false";
  else if (status === 429) {
    headers["x-should-retry"] = String((seconds ?? 0) <= waitingIsPointlessAboveSeconds);
  }
  return headers;
}
