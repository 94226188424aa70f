import type { Clock } from "@vmx/core/contract";

/**
 * A clock that never goes back, so that no window opens a second time. Where the system's clock jumps behind what was
 * told last, time goes on from there at its own pace until the system's clock has caught up.
 */
export function createForwardClock(clock: Pick<Clock, "now" | "monotonic">): Pick<Clock, "now"> {
  let told = -Infinity;
  let toldAt = 0;
  return {
    now() {
      const [now, at] = [clock.now(), clock.monotonic()];
      told = now >= told ? now : told + (at - toldAt);
      toldAt = at;
      return Math.floor(told);
    },
  };
}
