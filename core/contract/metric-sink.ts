import type { Exposition, MetricFamily, Telemetry } from "./telemetry.ts";

/** Takes usage measurements. Never throws into the data path; its memory is bounded by core's queue before it. */
export interface MetricSink {
  /** Rejects when the batch could not be taken; core tries again, so a batch can come twice. */
  record(batch: readonly Measurement[]): Promise<void>;
  flush(): Promise<void>;
  /** Announced by sinks that can answer usage queries. Rejects when the service behind it is away. */
  query?(question: UsageQuestion): Promise<readonly UsageGroup[]>;
  /** Announced by sinks that send the gateway's own metrics and spans somewhere; called once, before traffic. */
  export?(telemetry: Telemetry): void;
  /** Announced by sinks whose metrics are fetched: what the metrics port answers. */
  expose?(families: readonly MetricFamily[]): Promise<Exposition>;
  close(): Promise<void>;
}

/** One point: the measurements of one leg. */
export interface Measurement {
  /** Unix milliseconds. */
  readonly at: number;
  /** Index of the leg; a batch that comes twice has the same `requestId` and leg again. */
  readonly leg: number;
  /** Tokens and counts; durations in milliseconds; costs in nano-units of the currency. */
  readonly measures: Readonly<Record<string, number | null>>;
  /** `metadata.<key>` among them. Several labels of a key stand in one text, separated by commas. */
  readonly dimensions: Readonly<Record<string, string | undefined>>;
}

/** How values of a group become one. */
export type UsageFunction = "sum" | "avg" | "min" | "max" | "p50" | "p90" | "p95" | "p99";

/** A condition on a dimension or measure. */
export interface UsageFilter {
  readonly field: string;
  readonly operator: "eq" | "neq" | "in" | "nin" | "gt" | "gte" | "lt" | "lte" | "is_not";
  /** A list with `in` and `nin` only. */
  readonly value: string | number | null | readonly (string | number)[];
}

/** What a sink is asked, checked by core. */
export interface UsageQuestion {
  readonly workspaceId: string;
  readonly environmentId: string;
  /** Unix milliseconds, inclusive. */
  readonly start: number;
  /** Unix milliseconds, exclusive. */
  readonly end: number;
  /** Starts of the buckets in Unix milliseconds, rising; the first is not after `start`. One bucket has all. */
  readonly bucketStarts: readonly number[];
  /** The unit of buckets, for sinks that cut time by themselves; absent for one total. */
  readonly granularity?: string;
  /** IANA name of the calendar the buckets follow. */
  readonly timeZone: string;
  /** Names of dimensions; `metadata.<key>` among them. */
  readonly dimensions: readonly string[];
  readonly filters: readonly UsageFilter[];
  readonly aggregates: readonly { readonly measure: string; readonly function: UsageFunction }[];
}

/** What a group of points comes to. */
export interface UsageGroup {
  /** Index of the bucket. */
  readonly bucket: number;
  /** In the order of the question's dimensions. */
  readonly dimensions: readonly (string | null)[];
  /** In the order of the question's aggregates; null where no point has the measure. */
  readonly values: readonly (number | null)[];
}
