/** One line, area or row of bars. */
export interface Series {
  readonly label: string;
  /** Values at the times of the chart; null is a gap. */
  readonly values: readonly (number | null)[];
  /** Stacked series stand on each other, in order. */
  readonly stacked?: boolean;
  /** Place of its colour, when that is not its own place. */
  readonly tone?: number;
}

/** How a chart is drawn. */
export type ChartKind = "line" | "area" | "bars";

/** Dashes that tell series apart without their colour. */
export const dashes: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [10, 4, 2, 4], [1, 5], [
  14,
  4,
]];

/** Custom properties of the series' colours. */
export function colourOf(index: number): string {
  return `--series-${(index % 6) + 1}`;
}

/** Sums from the first series to each, for stacking; gaps count as nothing. */
export function stack(series: readonly Series[]): readonly (readonly (number | null)[])[] {
  const sums: number[] = [];
  return series.map(({ values, stacked }) =>
    stacked
      ? values.map((value, index) => {
        if (value === null) return sums[index] ?? null;
        return sums[index] = (sums[index] ?? 0) + value;
      })
      : values
  );
}
