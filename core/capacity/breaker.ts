import type { Clock } from "../contract/index.ts";

/** Keeps calls away from a store that does not answer. Measures elapsed time, so a wrong clock cannot mislead it. */
export interface Breaker {
  /** True while calls are kept away; only probes go through. */
  isOpen(): boolean;
  /** Whether it is time for the one call that probes an open breaker; answers true once per pause. */
  takeProbe(): boolean;
  /** A call was answered. */
  succeeded(): void;
  /** A call failed or missed its deadline. */
  failed(): void;
}

const windowMs = 10_000;
const failuresToOpen = 5;
const successesToClose = 3;

/**
 * Creates a closed breaker: 5 failures within 10 s open it, 3 successes in a row close it.
 *
 * @param onChange told of every change of state
 * @param probePauseMs milliseconds between two probes of an open breaker
 */
export function createBreaker(
  clock: Pick<Clock, "monotonic">,
  onChange: (open: boolean) => void,
  probePauseMs = 1_000,
): Breaker {
  let failures: number[] = [];
  let open = false;
  let successes = 0;
  let probedAt = 0;

  return {
    isOpen: () => open,
    takeProbe() {
      const now = clock.monotonic();
      if (!open || now - probedAt < probePauseMs) return false;
      probedAt = now;
      return true;
    },
    succeeded() {
      if (!open || ++successes < successesToClose) return;
      open = false;
      failures = [];
      onChange(false);
    },
    failed() {
      successes = 0;
      if (open) return;
      const now = clock.monotonic();
      failures = [...failures.filter((at) => now - at < windowMs), now];
      if (failures.length < failuresToOpen) return;
      open = true;
      probedAt = now;
      onChange(true);
    },
  };
}
