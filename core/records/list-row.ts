import type { AuditLeg, AuditRow } from "@vmx/schemas";
import type { AuditRecord } from "./record.ts";

/** A record as lists show it: without the routing trace and the meters of its legs. */
export function listRow(record: AuditRecord): AuditRow {
  const { routing: _, auditClass: _a, usageClass: _u, payloadCapture: _p, legs, ...row } = record;
  return { ...row, legs: legs.map(withoutMeters) };
}

/** A leg without what only the detail of a row shows. */
export function withoutMeters(leg: AuditLeg): AuditLeg {
  if (!leg.gate) return leg;
  const { durationMs, result } = leg.gate;
  return { ...leg, gate: { durationMs, result } };
}
