/**
 * What the gateway tells of itself, for sinks that bring it into an operator's own tools. Everything here is collected
 * by core whether or not somebody asks; a sink only carries it.
 */
export interface Telemetry {
  /** Every metric with its present points; made anew at each call. */
  metrics(): readonly MetricFamily[];
  /** Hands the spans of finished requests over. Answers how to end that. */
  trace(tracer: Tracer): () => void;
  /** Counts what the sink had to throw away, in spans or points. */
  noteDropped(count: number): void;
}

/** Takes spans. Both members are called on the request path: they must be quick and must not throw. */
export interface Tracer {
  /**
   * Whether a trace is to be kept.
   *
   * @param parentSampled the caller's own decision; undefined when the caller brought no trace
   */
  isSampled(traceId: string, parentSampled: boolean | undefined): boolean;
  /** The spans of one finished request, the server's first. */
  take(spans: readonly Span[]): void;
}

/** A finished piece of work inside a trace, in the terms of OpenTelemetry. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** True when the parent belongs to the caller. */
  readonly isParentRemote?: boolean;
  /** The caller's `tracestate`. */
  readonly traceState?: string;
  readonly name: string;
  readonly kind: "server" | "client" | "internal";
  /** Unix milliseconds, with fractions. */
  readonly startAt: number;
  readonly endAt: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** See `Span.attributes`. */
export type AttributeValue = string | number | boolean | readonly string[];

/** One metric with all its points. */
export interface MetricFamily {
  /** Such as `vmx.gateway.requests`. */
  readonly name: string;
  readonly description: string;
  /** By UCUM, such as `s`, `By` or `{token}`. */
  readonly unit: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly points: readonly MetricPoint[];
}

/** One point of a metric; counters and histograms count from the start of the process. */
export interface MetricPoint {
  readonly labels: Readonly<Record<string, string>>;
  /** The value; of a histogram the sum. */
  readonly value: number;
  /** Only of histograms. */
  readonly buckets?: MetricBuckets;
}

/** How the values of a histogram spread. */
export interface MetricBuckets {
  /** Upper bounds, included, rising. */
  readonly bounds: readonly number[];
  /** How many values fell into each bucket; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly count: number;
}

/** A text that can be fetched, such as Prometheus' format. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}
