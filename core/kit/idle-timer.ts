/** Fires once when nothing has happened for a while. */
export interface IdleTimer {
  /** Something happened. Costs one clock reading. */
  touch(): void;
  stop(): void;
}

/**
 * Starts an idle timer. Activity only notes the time; the timer re-arms itself when it fires early, so a busy
 * stream never pays for clearing and setting timers.
 *
 * @param idleMs milliseconds without `touch` after which `onIdle` is called
 */
export function createIdleTimer(idleMs: number, onIdle: () => void): IdleTimer {
  let last = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(check, idleMs);

  function check(): void {
    const left = last + idleMs - performance.now();
    if (left <= 0.5) {
      timer = undefined;
      onIdle();
    } else timer = setTimeout(check, left);
  }

  return {
    touch() {
      last = performance.now();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
