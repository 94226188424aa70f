import type { Exchange, Outcome } from "./exchange.ts";
import type { LegRecord } from "./leg.ts";

const networkFailure = 502;
const timedOut = 504;

/** Counts the end of a leg that called its provider, once, for the error rates and latencies rules can read. */
export function noteSample(exchange: Exchange, leg: LegRecord, status: number): void {
  if (!leg.called || leg.sampled) return;
  leg.sampled = true;
  const { caller, target } = exchange;
  exchange.services.samples.note(
    {
      environmentId: caller!.environment.environmentId,
      resourceId: target?.kind === "resource" ? target.resource.resourceId : "",
      connectionId: leg.connectionId,
      model: leg.model,
    },
    status,
    leg.timeToFirstTokenMs,
  );
}

/** Counts the legs that end with the exchange. One the caller left tells nothing of its provider. */
export function noteSamples({ exchange, status, errorCode }: Outcome): void {
  if (status === "aborted") return;
  for (const leg of exchange.legs) {
    noteSample(
      exchange,
      leg,
      leg.outcome === "ok" ? leg.statusCode ?? 200 : failureStatus(errorCode),
    );
  }
}

function failureStatus(errorCode: string | undefined): number {
  return errorCode === "request_timeout" || errorCode === "leg_timeout" ? timedOut : networkFailure;
}
