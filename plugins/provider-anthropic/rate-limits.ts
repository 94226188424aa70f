import type { DiscoveredLimit, DiscoveredLimits, ResponseHeaders } from "@vmx/core/contract";
import { readRateLimits } from "@vmx/core/kit";

/** What the service limits, by the name in its headers. */
export const axes = ["requests", "tokens", "input-tokens", "output-tokens"] as const;

/** See `axes`. */
export type Axis = (typeof axes)[number];

/** Reads `anthropic-ratelimit-<axis>-{limit,remaining,reset}` (API reference, "Response headers"). */
export function readLimits(headers: ResponseHeaders, nowMs: number): DiscoveredLimits | undefined {
  const requests = readAxis(headers, "requests", nowMs);
  const tokens = readAxis(headers, "tokens", nowMs);
  const inputTokens = readAxis(headers, "input-tokens", nowMs);
  const outputTokens = readAxis(headers, "output-tokens", nowMs);
  if (!requests && !tokens && !inputTokens && !outputTokens) return undefined;
  return {
    ...(requests && { requests }),
    ...(tokens && { tokens }),
    ...(inputTokens && { inputTokens }),
    ...(outputTokens && { outputTokens }),
  };
}

/** Milliseconds until an axis resets; undefined when the header is absent or holds no time. */
export function readResetMs(
  headers: ResponseHeaders,
  axis: Axis,
  nowMs: number,
): number | undefined {
  const time = Date.parse(headers[`anthropic-ratelimit-${axis}-reset`] ?? "");
  return Number.isNaN(time) ? undefined : Math.max(0, time - nowMs);
}

/** The headers of an answer with request id and limits in the common spelling beside the service's own. */
export function withCommonNames(headers: ResponseHeaders, nowMs: number): ResponseHeaders {
  const common: Record<string, string> = {};
  const id = headers["request-id"];
  if (id !== undefined) common["x-request-id"] = id;
  for (const axis of axes) {
    const limit = headers[`anthropic-ratelimit-${axis}-limit`];
    const remaining = headers[`anthropic-ratelimit-${axis}-remaining`];
    const resetMs = readResetMs(headers, axis, nowMs);
    if (limit !== undefined) common[`x-ratelimit-limit-${axis}`] = limit;
    if (remaining !== undefined) common[`x-ratelimit-remaining-${axis}`] = remaining;
    if (resetMs !== undefined) common[`x-ratelimit-reset-${axis}`] = `${resetMs / 1000}s`;
  }
  return { ...common, ...headers };
}

/** One axis, read by the rules for the common spelling, which know what makes no sense. */
function readAxis(
  headers: ResponseHeaders,
  axis: Axis,
  nowMs: number,
): DiscoveredLimit | undefined {
  const resetMs = readResetMs(headers, axis, nowMs);
  return readRateLimits({
    "x-ratelimit-limit-requests": headers[`anthropic-ratelimit-${axis}-limit`],
    "x-ratelimit-remaining-requests": headers[`anthropic-ratelimit-${axis}-remaining`],
    "x-ratelimit-reset-requests": resetMs === undefined ? undefined : `${resetMs}ms`,
  })?.requests;
}
