import type { Classification, ErrorAnswer } from "@vmx/core/contract";
import { parseDurationMs, readRetryAfterMs } from "@vmx/core/kit";
import { quotasOf, retryDelayMs } from "./quota.ts";

/** Reasons that mean the key is not taken, which the service answers with 400. */
const refusedKeys = new Set(["API_KEY_INVALID", "API_KEY_EXPIRED"]);

/**
 * Refines a 400 for a bad key, and a 429: a quota of a day is not waited for, and the wait is the longest of what
 * headers, body and message say.
 */
export function classifyError(
  answer: ErrorAnswer,
  nowMs: number,
): Partial<Classification> | undefined {
  const { status, headers, code, message, body } = answer;
  if (status === 400 && refusedKeys.has(code ?? "")) {
    return { reason: "Provider rejected the credential", retryable: false };
  }
  if (status !== 429) return undefined;
  if (quotasOf(body).some(({ id }) => /PerDay/i.test(id))) {
    return { reason: "Rate limit exceeded", retryable: false };
  }
  const waits = [
    readRetryAfterMs(headers, nowMs),
    retryDelayMs(body),
    parseDurationMs(/retry in (\d[\d.hms]*s)/i.exec(message.slice(0, 5000))?.[1]),
  ].filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : { retryAfterMs: Math.max(...waits) };
}
