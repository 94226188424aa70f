/*
 * Percentiles of counted values: bars that grow by a constant factor. A value is told as the geometric middle of its
 * bar, so it is off by at most the root of the factor: 0.9 %.
 */

/** Factor between the edges of bars. */
export const growth = 1.018;

/** The bar of zero and of what is below. */
export const zeroBar = -9_999;

/** SQL that tells the bar of a value. */
export function barSql(value: string): string {
  return `case when ${value} > 0 then ceil(ln((${value})::double precision) / ${
    Math.log(growth)
  })` +
    `::int else ${zeroBar} end`;
}

/** The bar of a value. */
export function barOf(value: number): number {
  return value > 0 ? Math.ceil(Math.log(value) / Math.log(growth)) : zeroBar;
}

/** The value below which the share of all values lies, by nearest rank; null when there are none. */
export function percentileOf(bars: ReadonlyMap<number, number>, percent: number): number | null {
  let total = 0;
  for (const count of bars.values()) total += count;
  if (total === 0) return null;
  let left = Math.max(1, Math.ceil(total * percent / 100));
  for (const [bar, count] of [...bars].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return bar === zeroBar ? 0 : growth ** (bar - 0.5);
  }
  return null;
}
