import type { LegFailure } from "./leg-failure.ts";

const baseDelayMs = 250;
const maxDelayMs = 8000;

/**
 * How long to wait before the same leg is tried again; undefined when it must not be.
 *
 * @param attempt number of attempts that failed before this one, from 0
 * @param leftMs time the leg has left; a longer wait is not begun
 */
export function retryDelayMs(
  failure: LegFailure,
  attempt: number,
  maxRetries: number,
  leftMs: number,
  random: () => number = Math.random,
): number | undefined {
  if (!failure.retryable || attempt >= maxRetries) return undefined;
  const backoffMs = Math.min(baseDelayMs * 2 ** attempt, maxDelayMs) * (0.75 + random() / 2);
  const delayMs = failure.retryAfterMs ?? backoffMs;
  return delayMs < leftMs ? delayMs : undefined;
}
