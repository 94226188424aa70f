import type { DiscoveredLimit, DiscoveredLimits, JsonObject } from "@vmx/core/contract";
import { quotasOf, retryDelayMs } from "./quota.ts";

/** Limits per minute an error names; the service tells none in headers. */
export function readLimits(body: JsonObject | undefined): DiscoveredLimits | undefined {
  const limits: Record<string, DiscoveredLimit> = {};
  const resetAfterMs = retryDelayMs(body);
  for (const { id, limit } of quotasOf(body)) {
    if (limit === undefined || !/PerMinute/i.test(id)) continue;
    const axis = /input_?token/i.test(id)
      ? "inputTokens"
      : /token/i.test(id)
      ? "tokens"
      : /request/i.test(id)
      ? "requests"
      : undefined;
    if (axis === undefined || limits[axis]) continue;
    limits[axis] = { limit, remaining: 0, ...(resetAfterMs === undefined ? {} : { resetAfterMs }) };
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}
