import { setImmediate, setTimeout } from "node:timers";

/** A store did not answer in time. */
export class DeadlineMissed extends Error {
  constructor(timeoutMs: number) {
    super(`The store did not answer within ${timeoutMs} ms`);
    this.name = "DeadlineMissed";
  }
}

/** Limits how long store calls may take, in time this process was able to listen. */
export interface StoreDeadline {
  /**
   * Answers what the call answers. Rejects with DeadlineMissed when the store took too long; `late` is told what
   * the call came to after that.
   */
  limit<Value>(call: Promise<Value>, late?: (value: Value) => void): Promise<Value>;
}

interface Waiting {
  done: boolean;
  /** Reading of the listening time at which the call is late. */
  readonly dueMs: number;
  miss(): void;
}

const ticksPerDeadline = 5;

/**
 * Creates the deadline of one store. A ticker runs while calls are waiting and counts no more than one tick for
 * each turn, however late it comes: what the process itself spent computing is not held against the store. Timers
 * run before sockets are read, so one poll phase is let through before a miss is declared.
 *
 * @param timeoutMs milliseconds a call may take
 */
export function createStoreDeadline(
  timeoutMs: number,
  monotonic: () => number = () => performance.now(),
): StoreDeadline {
  const tickMs = Math.max(1, timeoutMs / ticksPerDeadline);
  const queue: Waiting[] = [];
  let listenedMs = 0;
  let tickedAt = 0;
  let ticker: ReturnType<typeof setTimeout> | undefined;

  const sinceTick = () => Math.min(monotonic() - tickedAt, tickMs);

  function tick(): void {
    listenedMs += sinceTick();
    tickedAt = monotonic();
    const late: Waiting[] = [];
    while (queue[0] && (queue[0].done || queue[0].dueMs <= listenedMs)) {
      const waiting = queue.shift()!;
      if (!waiting.done) late.push(waiting);
    }
    if (late.length > 0) {
      setImmediate(() => {
        for (const waiting of late) if (!waiting.done) waiting.miss();
      });
    }
    ticker = queue.length > 0 ? setTimeout(tick, tickMs) : undefined;
  }

  return {
    limit: <Value>(call: Promise<Value>, late?: (value: Value) => void) =>
      new Promise<Value>((resolve, reject) => {
        let missed = false;
        if (!ticker) {
          tickedAt = monotonic();
          ticker = setTimeout(tick, tickMs);
        }
        const waiting: Waiting = {
          done: false,
          dueMs: listenedMs + sinceTick() + timeoutMs,
          miss() {
            missed = true;
            reject(new DeadlineMissed(timeoutMs));
          },
        };
        queue.push(waiting);
        call.then(
          (value) => {
            waiting.done = true;
            if (missed) late?.(value);
            else resolve(value);
          },
          (error: unknown) => {
            waiting.done = true;
            if (!missed) reject(error);
          },
        );
      }),
  };
}
