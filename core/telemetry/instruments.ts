import type { MetricFamily, MetricPoint } from "../contract/index.ts";
import { type LabelSet, other, toLabels } from "./label-sets.ts";
import type { MetricDefinition } from "./names.ts";

/** A metric that is written to. */
export interface Instrument {
  /**
   * Adds to a counter, sets a gauge, or notes one value of a histogram. What is not a number is left out.
   *
   * @param own values of the definition's own labels, in their order
   */
  note(set: LabelSet, value: number, ...own: readonly string[]): void;
  family(): MetricFamily;
}

/** Own labels come from closed vocabularies; a plugin that invents values all the time stops here. */
const mostOwn = 200;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
  readonly counts: number[];
  count: number;
}

/** Creates a metric without points. */
export function createInstrument(definition: MetricDefinition): Instrument {
  const { name, description, unit, type, bounds } = definition;
  const bySet = new Map<LabelSet, Map<string, Series>>();

  function find(set: LabelSet, own: readonly string[]): Series {
    let byOwn = bySet.get(set);
    if (!byOwn) bySet.set(set, byOwn = new Map());
    const key = own.length === 0 ? "" : own.length === 1 ? own[0]! : own.join("\0");
    const found = byOwn.get(key);
    if (found) return found;
    if (byOwn.size >= mostOwn && own[0] !== other) return find(set, own.map(() => other));
    const series: Series = {
      labels: own.length === 0
        ? set.labels
        : { ...set.labels, ...toLabels(definition.labels, own) },
      value: 0,
      counts: type === "histogram" ? new Array<number>(bounds.length + 1).fill(0) : [],
      count: 0,
    };
    byOwn.set(key, series);
    return series;
  }

  return {
    note(set, value, ...own) {
      if (!Number.isFinite(value)) return;
      const series = find(set, own);
      if (type === "gauge") series.value = value;
      else series.value += value;
      if (type !== "histogram") return;
      series.count++;
      series.counts[bucketOf(bounds, value)]!++;
    },
    family() {
      const points: MetricPoint[] = [];
      for (const byOwn of bySet.values()) {
        for (const { labels, value, counts, count } of byOwn.values()) {
          points.push(
            type === "histogram"
              ? { labels, value, buckets: { bounds, counts: [...counts], count } }
              : { labels, value },
          );
        }
      }
      return { name, description, unit, type, points };
    },
  };
}

function bucketOf(bounds: readonly number[], value: number): number {
  let index = 0;
  while (index < bounds.length && value > bounds[index]!) index++;
  return index;
}
