import { GatewayError } from "../contract/index.ts";
import { answerError } from "./answer-error.ts";
import { answerEstimate, countsNatively } from "./count-tokens.ts";
import {
  createExchange,
  elapsedMs,
  type Exchange,
  type GatewayServices,
  type IncomingRequest,
  type Outcome,
  type Reply,
} from "./exchange.ts";
import { identify } from "./identify.ts";
import { LegFailure } from "./leg-failure.ts";
import { plan, type PlannedLeg } from "./plan.ts";
import { readProviderState } from "./provider-state.ts";
import { read } from "./read.ts";
import { relay } from "./relay.ts";
import { route } from "./route.ts";
import { resolve } from "./resolve.ts";
import { tryLegs } from "./try-legs.ts";

/**
 * The way through. Every completion takes it, whoever asks: HTTP, batches, the playground and tests.
 *
 *  identify   key or token -> caller                      (snapshot lookup by hash)
 *  read       body -> value, text and envelope            (one JSON.parse)
 *  resolve    model -> resource or connection, access check
 *  route      rules -> another model, or a refusal       (compiled closures, no I/O)
 *  plan       -> ordered legs
 *  tryLegs    each leg: prepare, call, hold until first content; a failure moves on to the next
 *  relay      the answer to the caller; caller gone -> upstream aborted
 *
 * Accounting hangs on `exchange.finished`, which resolves exactly once.
 */
export async function serve(
  request: IncomingRequest,
  reply: Reply,
  services: GatewayServices,
): Promise<Outcome> {
  const exchange = await open(request, services);
  services.onStarted(exchange);
  reply.onGone(() => exchange.abort(new GatewayError("client_closed_request", "The client left")));
  let headSent = false;
  let sendEnd = () => {};
  const watched: Reply = {
    ...reply,
    head(status, headers) {
      headSent = true;
      reply.head(status, headers);
    },
    // Held back until the request is on record: the caller must not learn of an end that a crash could still undo.
    end(bytes) {
      sendEnd = () => bytes === undefined ? reply.end() : reply.end(bytes);
    },
  };
  try {
    exchange.caller = await identify(request, exchange.snapshot, services);
    exchange.body = await read(exchange);
    exchange.limitTime(exchange.envelope.timeoutMs!);
    exchange.target = await resolve(
      exchange.caller,
      exchange.body.model,
      exchange.envelope,
      services.host,
    );
    const decision = await route(exchange);
    const legs = plan(exchange.target, exchange.envelope, decision);
    exchange.providerState = await readProviderState(
      exchange,
      legs.map(({ slot }) => slot.connectionId),
    );
    await services.onTargeted?.(exchange);
    const isCount = request.endpoint.operation === "count-tokens";
    if (isCount) legs.length = 1;
    if (isCount && !await countsNatively(exchange, legs[0]!)) {
      finish(exchange, answerEstimate(exchange, watched));
    } else {
      await serveLegs(exchange, legs, watched);
    }
  } catch (error) {
    refuse(exchange, error, watched, headSent);
  }
  const outcome = await exchange.finished;
  sendEnd();
  return outcome;
}

async function serveLegs(
  exchange: Exchange,
  legs: readonly PlannedLeg[],
  reply: Reply,
): Promise<void> {
  const serving = await tryLegs(exchange, legs);
  try {
    finish(exchange, await relay(exchange, serving, reply));
  } finally {
    serving.release();
  }
}

async function open(request: IncomingRequest, services: GatewayServices): Promise<Exchange> {
  const { host } = services;
  const id = request.endpoint.dialect;
  const dialect = host.active("dialects", id) ?? await host.get("dialects", id);
  if (!dialect.inbound) {
    throw new GatewayError("operation_not_supported", `Callers cannot speak ${id}`);
  }
  return createExchange(request, dialect as Exchange["dialect"], services);
}

function refuse(exchange: Exchange, error: unknown, reply: Reply, headSent: boolean): void {
  const known = error instanceof GatewayError || error instanceof LegFailure
    ? error
    : new GatewayError("unknown_error", "Something went wrong", { cause: error });
  if (known.code === "unknown_error") {
    exchange.services.log.error("Request failed for a reason nobody foresaw", {
      requestId: exchange.requestId,
      error: known.cause ?? known,
    });
  }
  const gone = known.code === "client_closed_request";
  if (headSent || gone) reply.end();
  else answerError(exchange, known, reply);
  finish(exchange, {
    status: gone ? "aborted" : refusedStatus(known),
    statusCode: known.status,
    errorCode: known.code,
    errorMessage: known.message,
  });
}

function refusedStatus(error: GatewayError | LegFailure): "blocked" | "denied" | "error" {
  if (error.code.startsWith("blocked_by")) return "blocked";
  return error instanceof LegFailure && error.reason.startsWith("Denied") ? "denied" : "error";
}

function finish(
  exchange: Exchange,
  outcome: Omit<Outcome, "exchange" | "totalDurationMs">,
): void {
  exchange.finish({ ...outcome, exchange, totalDurationMs: elapsedMs(exchange) });
}
