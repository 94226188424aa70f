import type { AdmissionReply } from "../capacity/index.ts";
import type { Amount, Meter, MeterState } from "../contract/index.ts";
import type { GateMeter, GateRecord } from "./leg.ts";

/** The record of a leg nothing limits. */
export const skippedGate: GateRecord = {
  durationMs: 0,
  result: "skipped",
  meters: [],
  failing: [],
};

/** What is written down of a leg's way past its limits. */
export function gateRecord(
  reply: AdmissionReply,
  meters: readonly Meter[],
  amount: Amount,
  durationMs: number,
): GateRecord {
  const states = reply.result === "admitted" ? reply.states : [];
  const refused = reply.result === "refused" ? reply.refused : [];
  return {
    durationMs,
    result: reply.result !== "admitted" ? "denied" : reply.degraded ? "degraded" : "admitted",
    meters: meters.map((meter, index) => describe(meter, states[index], amount)),
    failing: refused.map((one) =>
      one.gate === "capacity"
        ? {
          level: one.meter.level,
          subjectId: one.meter.subjectId,
          period: one.meter.period,
          axis: one.axis,
          used: one.used,
        }
        : { level: "pool", pool: one.pool ?? null, rule: one.rule, used: one.used }
    ),
    ...(reply.result === "admitted"
      ? { reservationId: reply.lease.reservationId, reserved: amount }
      : {}),
  };
}

function describe(meter: Meter, state: MeterState | undefined, requested: Amount): GateMeter {
  const { level, subjectId, period, limit, dimension } = meter;
  return {
    level,
    subjectId,
    period,
    ...(dimension ? { dimension: dimension.name, dimensionValue: dimension.value } : {}),
    limit,
    used: state?.used ?? null,
    requested,
  };
}
