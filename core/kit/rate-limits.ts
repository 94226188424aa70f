import type { DiscoveredLimit, DiscoveredLimits, ResponseHeaders } from "../contract/provider.ts";

/** No service grants more per window; larger values are mistakes. */
const largestLimit = 1e12;

/** No window is longer than a month. */
const longestWindowMs = 31 * 24 * 3600 * 1000;

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the headers most services share. Values that make no
 * sense (not a number, negative, absurdly large) count as absent.
 */
export function readRateLimits(headers: ResponseHeaders): DiscoveredLimits | undefined {
  const requests = readAxis(headers, "requests");
  const tokens = readAxis(headers, "tokens");
  if (requests === undefined && tokens === undefined) return undefined;
  return { ...(requests && { requests }), ...(tokens && { tokens }) };
}

/**
 * Milliseconds of a duration such as `1m30s`, `250ms`, `6.386s` or a plain number of seconds; undefined when the
 * text is none or is longer than a month.
 */
export function parseDurationMs(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 40) return undefined;
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return withinMonth(Number(trimmed) * 1000);
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, , unit] of trimmed.matchAll(/(\d+(\.\d+)?)(ms|[smhd])/g)) {
    total += Number(amount) * (unitsMs[unit ?? ""] ?? Number.NaN);
  }
  return withinMonth(total);
}

/** Milliseconds of `retry-after-ms` or `retry-after` (seconds or a date); undefined when neither makes sense. */
export function readRetryAfterMs(headers: ResponseHeaders, nowMs: number): number | undefined {
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d+(\.\d+)?$/.test(ms.trim())) return withinMonth(Number(ms));
  const after = headers["retry-after"];
  if (after === undefined) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(after)) return withinMonth(Number(after) * 1000);
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : withinMonth(Math.max(0, date - nowMs));
}

function readAxis(headers: ResponseHeaders, axis: string): DiscoveredLimit | undefined {
  const limit = readCount(headers[`x-ratelimit-limit-${axis}`]);
  if (limit === undefined || limit === 0) return undefined;
  const remaining = readCount(headers[`x-ratelimit-remaining-${axis}`]);
  const resetAfterMs = parseDurationMs(headers[`x-ratelimit-reset-${axis}`]);
  return {
    limit,
    ...(remaining !== undefined && remaining <= limit && { remaining }),
    ...(resetAfterMs !== undefined && { resetAfterMs }),
  };
}

function readCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\d{1,13}\s*$/.test(text)) return undefined;
  const count = Number(text);
  return count <= largestLimit ? count : undefined;
}

function withinMonth(ms: number): number | undefined {
  return ms >= 0 && ms <= longestWindowMs ? Math.round(ms) : undefined;
}
