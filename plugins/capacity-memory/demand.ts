/** The longest window demand is asked for. */
const maxSeconds = 300;

/** Tokens a pool wanted, second by second, for the last 300 seconds. */
export interface Demand {
  /** Adds tokens to a second; a second that is forgotten stays so. */
  add(second: number, tokens: number): void;
  /** Corrects what was added to a second. */
  correct(second: number, difference: number): void;
  sum(second: number, windowSeconds: number): number;
  /** True when nothing of it is left. */
  isOver(second: number): boolean;
}

/** Creates an empty demand: a ring of seconds, so that its memory is bounded. */
export function createDemand(): Demand {
  const seconds = new Float64Array(maxSeconds).fill(-1);
  const tokens = new Float64Array(maxSeconds);
  let last = 0;
  return {
    add(second, amount) {
      const slot = second % maxSeconds;
      if (seconds[slot] !== second) {
        seconds[slot] = second;
        tokens[slot] = 0;
      }
      tokens[slot]! += amount;
      last = second;
    },
    correct(second, difference) {
      const slot = second % maxSeconds;
      if (seconds[slot] === second) tokens[slot] = Math.max(0, tokens[slot]! + difference);
    },
    sum(second, windowSeconds) {
      let sum = 0;
      for (let slot = 0; slot < maxSeconds; slot++) {
        const at = seconds[slot]!;
        if (at >= 0 && at <= second && second - at < windowSeconds) sum += tokens[slot]!;
      }
      return sum;
    },
    isOver: (second) => second - last >= maxSeconds,
  };
}
