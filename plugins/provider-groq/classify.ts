import type { Classification, ErrorAnswer } from "@vmx/core/contract";
import { parseDurationMs, readRetryAfterMs } from "@vmx/core/kit";

/** The service's own status for a full flex tier (vendor's page "API Error Codes"). */
const flexTierFull = 498;

/** Codes that mean money: the vendor's for a reached spend limit, and what core asks all providers. */
const spent = new Set(["blocked_api_access", "insufficient_quota"]);

/**
 * Refines an error answer: a reached spend limit is not retried, though it comes as 400; a full flex tier is worth
 * another try; the wait after a 429 is the longest of what the headers, the reset of the exhausted axis and the
 * message's own hint say.
 */
export function classifyError(
  answer: ErrorAnswer,
  nowMs: number,
): Partial<Classification> | undefined {
  const { status, headers } = answer;
  if (spent.has(answer.code ?? "") || spent.has(answer.type ?? "")) {
    return { reason: "Rate limit exceeded", retryable: false };
  }
  if (status === flexTierFull) return { reason: "Provider unavailable", retryable: true };
  if (status !== 429) return undefined;
  const waits = [
    readRetryAfterMs(headers, nowMs),
    ...exhaustedAxes(answer).map((axis) => parseDurationMs(headers[`x-ratelimit-reset-${axis}`])),
    parseDurationMs(
      /try again in (\d[\d.hms]*[a-z]|\d+)/i.exec(answer.message.slice(0, 2000))?.[1],
    ),
  ].filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : { retryAfterMs: Math.max(...waits) };
}

function exhaustedAxes({ type, headers }: ErrorAnswer): readonly string[] {
  if (type === "requests" || type === "tokens") return [type];
  return ["requests", "tokens"].filter((axis) => headers[`x-ratelimit-remaining-${axis}`] === "0");
}
