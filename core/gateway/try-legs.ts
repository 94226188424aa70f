import { type FailureReason, GatewayError } from "../contract/index.ts";
import { createAbortable } from "./abortable.ts";
import { admit, type Admitted } from "./admit.ts";
import { type CallLeg, type Dispatched, loadConnection, prepare } from "./dispatch.ts";
import { abortReason, type Exchange } from "./exchange.ts";
import { type HeldAnswer, hold } from "./hold.ts";
import { createLeg, type LegRecord } from "./leg.ts";
import { type LegClock, startLegClock } from "./leg-clock.ts";
import { LegFailure, toLegFailure } from "./leg-failure.ts";
import { noteSample } from "./leg-sample.ts";
import type { PlannedLeg } from "./plan.ts";
import { retryDelayMs } from "./retry.ts";

/** The leg that serves, with its answer. */
export interface ServingLeg {
  readonly record: LegRecord;
  readonly dispatched: Dispatched;
  readonly answer: HeldAnswer;
  readonly admitted: Admitted;
  /** Stops the leg's clock. Until then its end aborts the upstream call. */
  readonly release: () => void;
  /** Aborted when the leg's or the request's time is over, or when the reader left. */
  readonly signal: AbortSignal;
}

/**
 * Tries the legs in order until one answers.
 *
 * Throws the last LegFailure, or a GatewayError that ends the request (`request_timeout`, the reader's leaving).
 */
export async function tryLegs(
  exchange: Exchange,
  legs: readonly PlannedLeg[],
): Promise<ServingLeg> {
  let last: LegFailure | undefined;
  for (const [index, planned] of legs.entries()) {
    const connection = exchange.caller!.environment.connections.get(planned.slot.connectionId);
    const record = createLeg(index, planned, connection, exchange.services.clock.monotonic());
    exchange.legs.push(record);
    let probes = false;
    try {
      probes = admitByCircuit(exchange, planned, index === legs.length - 1);
      return await runLeg(exchange, planned, record);
    } catch (error) {
      // No verdict on the provider: it was not called, or its caller did not wait for it.
      if (probes && (!record.called || exchange.signal.aborted)) {
        exchange.services.circuits.leaveProbe(record.connectionId, record.model);
      }
      const aborted = exchange.signal.aborted;
      record.durationMs = exchange.services.clock.monotonic() - record.startedAt;
      if (aborted) {
        const reason = abortReason(exchange.signal);
        record.outcome = reason.code === "client_closed_request" ? "aborted" : "failed";
        record.errorCode = reason.code;
        throw reason;
      }
      last = toLegFailure(error);
      noteSample(exchange, record, answeredStatus(record) ?? last.status);
      noteFailure(exchange, record, last);
    }
  }
  throw last ?? new GatewayError("unknown_error", "The resource has no model to call");
}

/** The failure's status in the provider's own words, if it answered with one. */
function answeredStatus({ statusCode = 0 }: LegRecord): number | undefined {
  return statusCode >= 400 ? statusCode : undefined;
}

async function runLeg(
  exchange: Exchange,
  planned: PlannedLeg,
  record: LegRecord,
): Promise<ServingLeg> {
  const connection = loadConnection(exchange, planned.slot);
  const clock = startLegClock(exchange, planned);
  let admitted: Admitted | undefined;
  try {
    admitted = await admit(exchange, record, connection, clock.leftMs());
    const callLeg = await prepare(exchange, planned, record, connection);
    return await callWithRetries(exchange, planned, record, clock, admitted, callLeg);
  } catch (error) {
    clock.stop();
    if (isLeft(exchange)) admitted?.abandon(record.called === true);
    else admitted?.release();
    throw error;
  }
}

/** Whether the reader has gone, as against a deadline or a shutdown. */
function isLeft({ signal }: Exchange): boolean {
  return signal.aborted && abortReason(signal).code === "client_closed_request";
}

/** Calls the provider until it answers; all attempts share the leg's time and its reservation. */
async function callWithRetries(
  exchange: Exchange,
  planned: PlannedLeg,
  record: LegRecord,
  clock: LegClock,
  admitted: Admitted,
  callLeg: CallLeg,
): Promise<ServingLeg> {
  const { circuits, retryBudget } = exchange.services;
  const { connectionId, model, maxRetries } = planned.slot;
  const abortable = createAbortable(clock.signal);
  try {
    for (let attempt = 0;; attempt++) {
      retryBudget.noteCall(connectionId);
      try {
        const calledAt = exchange.services.clock.monotonic();
        clock.called();
        const dispatched = clock.watch(await abortable.wait(callLeg(clock.signal)));
        const answer = await abortable.wait(hold(exchange, dispatched, record, calledAt));
        clock.content();
        circuits.note(connectionId, model, false);
        return {
          record,
          dispatched,
          answer,
          admitted,
          release() {
            clock.stop();
            // Nothing is left to charge but after a relay that failed for a reason nobody foresaw.
            admitted.settle(undefined, false);
          },
          signal: clock.signal,
        };
      } catch (error) {
        if (exchange.signal.aborted) throw error;
        const failure = toLegFailure(clock.signal.aborted ? clock.signal.reason : error);
        circuits.note(connectionId, model, providerAway.has(failure.reason));
        const delayMs = retryDelayMs(failure, attempt, maxRetries, clock.leftMs());
        if (
          clock.signal.aborted || delayMs === undefined || !retryBudget.takeRetry(connectionId)
        ) throw failure;
        record.retries.push({
          at: exchange.services.clock.now(),
          statusCode: failure.status,
          delayMs,
        });
        await sleep(delayMs, clock.signal);
      }
    }
  } finally {
    abortable.stop();
  }
}

/** Skips a leg whose provider keeps failing, unless nothing is left to try. Answers whether the leg's call probes. */
function admitByCircuit(exchange: Exchange, { slot }: PlannedLeg, isLast: boolean): boolean {
  const state = exchange.services.circuits.admit(slot.connectionId, slot.model);
  if (state !== "open" || isLast) return state === "probing";
  throw new LegFailure(`Model "${slot.model}" has kept failing and is left out for a while`, {
    reason: "Circuit open",
    status: 503,
    code: "upstream_unreachable",
  });
}

/** Failures that count against a circuit: 5xx, network and time, but no refusal and no odd answer. */
const providerAway: ReadonlySet<FailureReason> = new Set([
  "Provider unavailable",
  "Connection failed",
  "Timed out",
  "Stream failed before content",
]);

function noteFailure(exchange: Exchange, record: LegRecord, failure: LegFailure): void {
  const { services } = exchange;
  const errorMessage = services.redact(failure.message).slice(0, 500);
  record.outcome = outcomeOf(failure);
  record.statusCode = failure.status;
  record.failureReason = failure.reason;
  record.errorCode = failure.code;
  record.errorMessage = errorMessage;
  exchange.events.push({
    timestamp: new Date(services.clock.now()).toISOString(),
    type: "fallback",
    data: {
      model: record.model,
      provider: record.provider,
      connectionId: record.connectionId,
      failureReason: failure.reason,
      statusCode: failure.status,
      errorMessage,
    },
  });
}

function outcomeOf({ reason }: LegFailure): "denied" | "skipped" | "failed" {
  if (reason === "Circuit open") return "skipped";
  return reason.startsWith("Denied") ? "denied" : "failed";
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
