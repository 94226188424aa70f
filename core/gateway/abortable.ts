/** Waits for promises no longer than a signal allows. */
export interface Abortable {
  /** Settles as the promise does, or rejects with the signal's reason once the signal fires. */
  wait<Value>(promise: Promise<Value>): Promise<Value>;
  stop(): void;
}

/**
 * Makes waiting end when the signal fires, even if whoever was asked ignores the signal: a plugin that hangs
 * must not hang the request. One listener serves any number of waits, one after the other.
 */
export function createAbortable(signal: AbortSignal): Abortable {
  let reject: ((reason: unknown) => void) | undefined;
  const onAbort = () => reject?.(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    wait<Value>(promise: Promise<Value>) {
      if (signal.aborted) {
        promise.catch(() => {});
        return Promise.reject(signal.reason);
      }
      return new Promise<Value>((resolve, refuse) => {
        reject = refuse;
        promise.then(resolve, refuse);
      });
    },
    stop: () => signal.removeEventListener("abort", onAbort),
  };
}
