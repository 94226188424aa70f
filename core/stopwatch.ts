import type { Log } from "./contract/index.ts";

/** Tells at debug level how long each stage took. */
export interface Stopwatch {
  /** A stage has ended: logs the milliseconds since the one before. */
  lap(stage: string): void;
  /** Milliseconds since the watch was started. */
  total(): number;
}

/** Starts a stopwatch. */
export function startStopwatch(log: Log): Stopwatch {
  const startedAt = performance.now();
  let last = startedAt;
  return {
    lap(stage) {
      const now = performance.now();
      log.debug("Start", {
        stage,
        ms: Math.round(now - last),
        sinceStart: Math.round(now - startedAt),
      });
      last = now;
    },
    total: () => performance.now() - startedAt,
  };
}
