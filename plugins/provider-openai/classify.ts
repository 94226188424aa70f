import type { Classification, ErrorAnswer } from "@vmx/core/contract";
import { parseDurationMs, readRetryAfterMs } from "@vmx/core/kit";

/** Codes and types that mean money or a hard limit, which waiting does not cure. */
const spent = new Set([
  "insufficient_quota",
  "billing_hard_limit_reached",
  "billing_not_active",
  "access_terminated",
]);

/**
 * Refines a 429: a used-up quota is not retried, and the wait is the longest of what the headers, the reset of the
 * exhausted axis and the message's own hint say.
 */
export function classifyError(
  answer: ErrorAnswer,
  nowMs: number,
): Partial<Classification> | undefined {
  if (answer.status !== 429) return undefined;
  if (spent.has(answer.code ?? "") || spent.has(answer.type ?? "")) {
    return { reason: "Rate limit exceeded", retryable: false };
  }
  const { headers } = answer;
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
