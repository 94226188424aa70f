import type { JsonObject } from "./json.ts";

/** Takes usage measurements. Never throws into the data path; its memory is bounded by core's queue before it. */
export interface MetricSink {
  /** Rejects when the batch could not be taken; core tries again. */
  record(batch: readonly Measurement[]): Promise<void>;
  flush(): Promise<void>;
  /** Announced by sinks that can answer usage queries. */
  query?(query: JsonObject): Promise<readonly JsonObject[]>;
  close(): Promise<void>;
}

/** One point: the measurements of one leg. */
export interface Measurement {
  /** Unix milliseconds. */
  readonly at: number;
  readonly measures: Readonly<Record<string, number | null>>;
  readonly dimensions: Readonly<Record<string, string | undefined>>;
}
