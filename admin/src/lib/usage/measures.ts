import type { UsageQuery } from "@vmx/sdk";
import { formatCompact, formatDuration, formatMoney, formatPercent } from "#lib/format/format.ts";

/** A row of an answer of the usage query. */
export type UsageRow = Readonly<Record<string, unknown>>;

/** Something usage can be looked at for. */
export interface Measure {
  readonly id: string;
  readonly label: string;
  readonly agg: UsageQuery["agg"];
  /** Reads the value; null where nothing was measured. */
  readonly value: (row: UsageRow) => number | null;
  readonly format: (value: number, currency: string) => string;
  /** Values of groups and times may be added up. */
  readonly adds: boolean;
}

const number = (row: UsageRow, name: string): number | null => {
  const value = row[name];
  return typeof value === "number" ? value : null;
};
const ratio = (part: number | null, whole: number | null) =>
  part === null || !whole ? null : (100 * part) / whole;

function sum(id: string, label: string, measure: string, format = formatCompact): Measure {
  const agg = { [measure]: "sum" as const };
  return { id, label, agg, value: (row) => number(row, measure), format, adds: true };
}

function time(
  id: string,
  label: string,
  measure: string,
  of: "p50" | "p95" | "p99",
): Measure {
  return {
    id,
    label: `${label}, ${of}`,
    agg: { [measure]: of },
    value: (row) => number(row, measure),
    format: formatDuration,
    adds: false,
  };
}

function share(
  id: string,
  label: string,
  members: readonly string[],
  value: Measure["value"],
): Measure {
  const agg = Object.fromEntries(members.map((name) => [name, "sum" as const]));
  return { id, label, agg, value, format: formatPercent, adds: false };
}

/**
 * How many requests got no answer: a leg that failed before another one served is not among them, and neither is a
 * caller that left.
 */
export function failedRequests(row: UsageRow): number | null {
  const [requests, errors, successes] = ["requestCount", "errorCount", "successCount"].map((name) =>
    number(row, name)
  );
  if (typeof requests !== "number" || typeof errors !== "number") return null;
  return Math.max(0, Math.min(errors, requests - (successes ?? 0)));
}

/** Everything usage can be looked at for. */
export const measures: readonly Measure[] = [
  sum("requests", "Requests", "requestCount"),
  sum("tokens", "Tokens", "totalTokens"),
  sum("tokens-in", "Tokens in", "promptTokens"),
  sum("tokens-out", "Tokens out", "completionTokens"),
  sum("tokens-cached", "Tokens read from cache", "cachedTokens"),
  sum("tokens-reasoning", "Reasoning tokens", "reasoningTokens"),
  {
    ...sum("cost", "Cost", "totalCost"),
    format: (value, currency) => formatMoney(value, currency),
  },
  time("latency-p50", "Duration", "requestDuration", "p50"),
  time("latency-p95", "Duration", "requestDuration", "p95"),
  time("latency-p99", "Duration", "requestDuration", "p99"),
  time("first-p50", "Time to first token", "timeToFirstToken", "p50"),
  time("first-p95", "Time to first token", "timeToFirstToken", "p95"),
  {
    id: "speed",
    label: "Tokens per second",
    agg: { tokensPerSecond: "avg" },
    value: (row) => number(row, "tokensPerSecond"),
    format: (value) => `${value.toFixed(1)} tokens/s`,
    adds: false,
  },
  share(
    "errors",
    "Error rate",
    ["requestCount", "errorCount", "successCount"],
    (row) => ratio(failedRequests(row), number(row, "requestCount")),
  ),
  share(
    "leg-errors",
    "Error rate of legs",
    ["errorCount", "successCount"],
    (row) =>
      ratio(
        number(row, "errorCount"),
        (number(row, "errorCount") ?? 0) + (number(row, "successCount") ?? 0),
      ),
  ),
  share("fallbacks", "Fallback rate", ["legCount", "requestCount"], (row) => {
    const requests = number(row, "requestCount");
    return ratio(Math.max(0, (number(row, "legCount") ?? 0) - (requests ?? 0)), requests);
  }),
  share(
    "cache",
    "Cache ratio",
    ["cachedTokens", "promptTokens"],
    (row) => ratio(number(row, "cachedTokens"), number(row, "promptTokens")),
  ),
];

/** A dimension usage can be grouped by, with the filter of the audit that chooses the same. */
export interface Dimension {
  readonly id: string;
  readonly label: string;
  readonly filter: string;
}

/** Every dimension but metadata. */
export const dimensions: readonly Dimension[] = [
  { id: "resourceId", label: "Resource", filter: "resource" },
  { id: "connectionId", label: "Connection", filter: "connection" },
  { id: "provider", label: "Provider", filter: "provider" },
  { id: "model", label: "Model", filter: "model" },
  { id: "apiKeyId", label: "API key", filter: "key" },
  { id: "apiKeyLabel", label: "Key label", filter: "label" },
  { id: "userId", label: "User", filter: "user" },
  { id: "statusCode", label: "Status", filter: "code" },
  { id: "failureReason", label: "Failure reason", filter: "reason" },
];

/** A value of a dimension as people know it. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "object") return String((value as { displayName?: unknown }).displayName);
  return String(value);
}
