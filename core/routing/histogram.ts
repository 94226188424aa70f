/** Counts of milliseconds in bars that grow by a constant factor, so that percentiles are at most 2.5 % off. */
export interface Histogram {
  add(valueMs: number): void;
  /** Adds counts of another histogram. */
  merge(bars: Readonly<Record<string, number>>): void;
  /** Raises counts to those of a fuller histogram of the same values. */
  raise(bars: Readonly<Record<string, number>>): void;
  /** Counts by the number of the bar. */
  bars(): Record<string, number>;
  /** The value below which the share of the values lies, by nearest rank; null while there are none. */
  percentile(percent: number): number | null;
}

const growth = 1.05;
const logOfGrowth = Math.log(growth);

/** Creates an empty histogram. */
export function createHistogram(): Histogram {
  const counts = new Map<number, number>();
  const addTo = (bar: number, count: number) => counts.set(bar, (counts.get(bar) ?? 0) + count);
  return {
    add: (valueMs) => void addTo(barOf(valueMs), 1),
    merge(bars) {
      for (const [bar, count] of Object.entries(bars)) addTo(Number(bar), count);
    },
    raise(bars) {
      for (const [bar, count] of Object.entries(bars)) {
        if (count > (counts.get(Number(bar)) ?? 0)) counts.set(Number(bar), count);
      }
    },
    bars: () => Object.fromEntries(counts),
    percentile(percent) {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      if (total === 0) return null;
      let left = Math.max(1, Math.ceil(total * percent / 100));
      for (const [bar, count] of [...counts].sort(([a], [b]) => a - b)) {
        left -= count;
        if (left <= 0) return valueOf(bar);
      }
      return null;
    },
  };
}

/** Values up to 1 ms share the bar 0. */
function barOf(valueMs: number): number {
  return valueMs <= 1 ? 0 : Math.ceil(Math.log(valueMs) / logOfGrowth);
}

/** The geometric middle of a bar. */
function valueOf(bar: number): number {
  if (bar === 0) return 1;
  return Math.round(growth ** (bar - 0.5) * 100) / 100;
}
