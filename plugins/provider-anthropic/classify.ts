import type { Classification, ErrorAnswer } from "@vmx/core/contract";
import { readRetryAfterMs } from "@vmx/core/kit";
import { axes, readResetMs } from "./rate-limits.ts";

/** Codes that mean money, which waiting does not bring (SDK, `ERROR_CODE_CLASSES`), and what core asks all providers. */
const spent = new Set([
  "contract_spend_limit_reached",
  "enforced_spend_limit_reached",
  "linked_organization_billing_unavailable",
  "linked_organization_spend_limit_reached",
  "billing_error",
  "insufficient_quota",
]);

/**
 * Refines an error answer: used-up money is not retried, whatever its status; the service's own advice against a
 * retry is heeded as the SDK heeds it; the wait after a 429 is the longest of `retry-after` and the resets of the
 * exhausted axes.
 */
export function classifyError(
  answer: ErrorAnswer,
  nowMs: number,
): Partial<Classification> | undefined {
  const { status, headers, message } = answer;
  const outOfMoney = spent.has(answer.code ?? "") || spent.has(answer.type ?? "") ||
    // Told as an invalid request, by its words alone.
    (status === 400 && /credit balance is too low/i.test(message.slice(0, 500)));
  if (outOfMoney) return { reason: "Rate limit exceeded", retryable: false };
  const advised = headers["x-should-retry"] === "false" ? { retryable: false } : undefined;
  if (status !== 429) return advised;
  const waits = [
    readRetryAfterMs(headers, nowMs),
    ...axes.filter((axis) => headers[`anthropic-ratelimit-${axis}-remaining`] === "0")
      .map((axis) => readResetMs(headers, axis, nowMs)),
  ].filter((wait) => wait !== undefined);
  return waits.length === 0 ? advised : { ...advised, retryAfterMs: Math.max(...waits) };
}
