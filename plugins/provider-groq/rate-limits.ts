import type { DiscoveredLimits, ResponseHeaders } from "@vmx/core/contract";
import { readRateLimits } from "@vmx/core/kit";

const dayMs = 24 * 3600 * 1000;

/** Reads the limit headers: requests always count for a day, tokens for a minute (vendor's page "Rate Limits"). */
export function readLimits(headers: ResponseHeaders): DiscoveredLimits | undefined {
  const limits = readRateLimits(headers);
  if (limits?.requests === undefined) return limits;
  return { ...limits, requests: { ...limits.requests, windowMs: dayMs } };
}
