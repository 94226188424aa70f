import type { Scope } from "#lib/api/scope.ts";
import { vmx } from "#lib/api/vmx.ts";
import { fallbackRate, type Signals } from "./attention.ts";

/** Reads the signals. What may not be read is not asked for: the browser would call the answer an error. */
export async function readSignals(scope: Scope): Promise<Signals> {
  const asked = [
    ["capacity:get", scope.resource("capacity")],
    ["usage:get", scope.resource("usage")],
    ["system:get", "system"],
  ] as const;
  const { data: [mayCapacity, mayUsage, maySystem] } = await vmx.me.permissions({
    action: asked.map(([action]) => action),
    resource: asked.map(([, resource]) => resource),
  });
  const now = Date.now();
  const dateRange = {
    start: new Date(now - 3_600_000).toISOString(),
    end: new Date(now).toISOString(),
  };
  const { agg } = fallbackRate;
  const [capacity, lastHour, system] = await Promise.all([
    mayCapacity?.allowed ? scope.api.capacity.get() : undefined,
    mayUsage?.allowed
      ? scope.api.usage.query({ filter: { dateRange }, agg, dimensions: [], compare: "previous" })
      : undefined,
    maySystem?.allowed ? vmx.system.get() : undefined,
  ]);
  return { capacity, lastHour, system };
}
