import type { Json, JsonObject } from "@vmx/core/contract";
import { isObject, parseDurationMs } from "@vmx/core/kit";

/** A quota an error names. */
export interface Quota {
  /** What it counts and over which time, such as `GenerateRequestsPerMinutePerProjectPerModel-FreeTier`. */
  readonly id: string;
  /** How much it allows; undefined when the error does not say. */
  readonly limit: number | undefined;
}

/** Milliseconds the error asks to wait (`google.rpc.RetryInfo`). */
export function retryDelayMs(body: JsonObject | undefined): number | undefined {
  const delay = detailsOf(body, "RetryInfo")[0]?.["retryDelay"];
  return typeof delay === "string" ? parseDurationMs(delay) : undefined;
}

/** The quotas the error names (`google.rpc.QuotaFailure`, or the metadata of `google.rpc.ErrorInfo`). */
export function quotasOf(body: JsonObject | undefined): Quota[] {
  const violations = detailsOf(body, "QuotaFailure").flatMap((detail) =>
    objectsOf(detail["violations"]).map(({ quotaId, quotaMetric, quotaValue }) => ({
      id: `${text(quotaId)} ${text(quotaMetric)}`,
      limit: count(quotaValue),
    }))
  );
  const told = detailsOf(body, "ErrorInfo").flatMap(({ metadata }) =>
    isObject(metadata) && metadata["quota_limit"] !== undefined
      ? [{
        id: `${text(metadata["quota_limit"])} ${text(metadata["quota_metric"])}`,
        limit: count(metadata["quota_limit_value"]),
      }]
      : []
  );
  return [...violations, ...told];
}

function detailsOf(body: JsonObject | undefined, kind: string): JsonObject[] {
  const error = body?.["error"];
  return objectsOf(isObject(error) ? error["details"] : undefined).filter((detail) =>
    text(detail["@type"]).endsWith(`google.rpc.${kind}`)
  );
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).slice(0, 100).filter(isObject) : [];
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value.slice(0, 500) : "";
}

function count(value: Json | undefined): number | undefined {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number > 0 && number <= 1e12
    ? number
    : undefined;
}
