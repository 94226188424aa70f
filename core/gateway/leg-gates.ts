import type { RouteTestGate } from "@vmx/schemas";
import { legMeters, type LegSubject } from "../capacity/index.ts";
import type { Meter } from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import { expectedAmount, subjectOf } from "./admit.ts";
import type { Exchange } from "./exchange.ts";
import type { PlannedLeg } from "./plan.ts";

/** What the limits of a leg would say to it now, one line per axis; nothing is reserved. */
export async function legGates(
  exchange: Exchange,
  { slot }: PlannedLeg,
): Promise<readonly RouteTestGate[]> {
  const { environmentId, connections } = exchange.caller!.environment;
  const connection = connections.get(slot.connectionId);
  if (!connection) return [];
  const subject = subjectOf(exchange, connection);
  const meters = legMeters(subject);
  if (meters.length === 0) return [];
  const { capacity, clock } = exchange.services;
  const states = await capacity.admission.store.ask((store) => store.read(environmentId, meters));
  const amount = expectedAmount(exchange, slot);
  return meters.flatMap((meter, index) =>
    (["requests", "tokens"] as const).flatMap((axis): RouteTestGate[] => {
      const limit = meter.limit[axis];
      if (limit === null) return [];
      const state = states?.[index];
      const { start } = calendarWindow(meter.period, clock.now());
      const used = state && state.windowStart >= start ? state.used[axis] : 0;
      return [{
        level: meter.level,
        subjectName: nameOf(meter, subject),
        period: meter.period,
        limit,
        used,
        requested: amount[axis],
        remaining: Math.max(0, limit - used),
        wouldPass: used + amount[axis] <= limit,
      }];
    })
  );
}

function nameOf({ level }: Meter, { connection, resource, apiKey }: LegSubject): string {
  const subject = level === "resource" ? resource : level === "api-key" ? apiKey : connection;
  return subject?.name ?? "";
}
