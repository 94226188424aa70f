/** What one request may spend on its rules. */
export interface Budget {
  /** Counts steps; answers false once steps or time are used up. */
  spend(steps?: number): boolean;
}

/** Bounds of a budget. */
export interface BudgetOptions {
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  readonly maxMs?: number;
  readonly maxSteps?: number;
}

/** Steps after which the clock is looked at. */
const stepsPerLook = 16;
/** Most that a handful of small steps can take; what is beyond it, the process itself stood still. */
const smallStepsMs = 1;

/** Starts a budget, of 20 ms and 10 000 steps if not said otherwise; time counts from the first step. */
export function createBudget(
  { monotonic, maxMs = 20, maxSteps = 10_000 }: BudgetOptions,
): Budget {
  let stepsLeft = maxSteps;
  let stepsToLook = 0;
  let lookedAt: number | undefined;
  let usedMs = 0;
  let isSpent = false;
  return {
    spend(steps = 1) {
      if (isSpent) return false;
      stepsLeft -= steps;
      stepsToLook -= steps;
      if (stepsToLook <= 0) {
        stepsToLook = stepsPerLook;
        const now = monotonic();
        const passedMs = now - (lookedAt ?? now);
        // One call that counts many steps at once tells of work whose time is its own.
        usedMs += steps >= stepsPerLook ? passedMs : Math.min(passedMs, smallStepsMs);
        lookedAt = now;
      }
      isSpent = stepsLeft < 0 || usedMs > maxMs;
      return !isSpent;
    },
  };
}
