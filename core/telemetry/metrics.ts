import type { MetricFamily, MetricPoint } from "../contract/index.ts";
import { createInstrument, type Instrument } from "./instruments.ts";
import { createLabelSets, type LabelSet, type LabelSets } from "./label-sets.ts";
import { createLimitUse, type LimitUse } from "./limit-use.ts";
import { definitions, genAi, type MetricName } from "./names.ts";

/** The metrics of one process. */
export interface Metrics {
  /** Written to where something happens. */
  readonly instruments: Readonly<Record<MetricName, Instrument>>;
  /** Combinations of `workspace, environment, resource, connection, provider, model`, in this order. */
  readonly targets: LabelSets;
  /** Combinations of `gen_ai.operation.name, gen_ai.provider.name, gen_ai.request.model`, in this order. */
  readonly models: LabelSets;
  readonly limits: LimitUse;
  /** The combination without labels. */
  readonly process: LabelSet;
  /** Reads a metric when it is asked for, in place of writing it where it happens. */
  observe(name: MetricName, read: () => Iterable<MetricPoint>): void;
  /** The same for a metric with one value and no labels; undefined leaves it out. */
  observeValue(name: MetricName, read: () => number | undefined): void;
  families(): readonly MetricFamily[];
}

/** Points of an observed metric that are kept at most. */
const mostObserved = 1_000;

/** Creates all metrics, without points. */
export function createMetrics(): Metrics {
  const names = Object.keys(definitions) as MetricName[];
  const instruments = Object.fromEntries(
    names.map((name) => [name, createInstrument(definitions[name])]),
  ) as Record<MetricName, Instrument>;
  const observed = new Map<MetricName, () => Iterable<MetricPoint>>();

  return {
    instruments,
    targets: createLabelSets([
      "workspace",
      "environment",
      "resource",
      "connection",
      "provider",
      "model",
    ]),
    models: createLabelSets([genAi.operation, genAi.provider, genAi.requestModel]),
    limits: createLimitUse(),
    process: { labels: {} },
    observe: (name, read) => void observed.set(name, read),
    observeValue(name, read) {
      observed.set(name, () => {
        const value = read();
        return value === undefined ? [] : [{ labels: {}, value }];
      });
    },
    families() {
      return names.map((name) => {
        const read = observed.get(name);
        const family = instruments[name].family();
        return read ? { ...family, points: firstOf(read(), mostObserved) } : family;
      });
    },
  };
}

function firstOf<Item>(items: Iterable<Item>, most: number): Item[] {
  const first: Item[] = [];
  for (const item of items) {
    if (first.length === most) break;
    first.push(item);
  }
  return first;
}
