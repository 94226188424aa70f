import type { Log, MetricFamily, Telemetry, Tracer } from "../contract/index.ts";
import type { Exchange, Outcome } from "../gateway/exchange.ts";
import type { LegRecord } from "../gateway/leg.ts";
import type { AuditRecord } from "../records/record.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { noteRequest } from "./note-request.ts";
import { type SpanOptions, spansOf } from "./spans.ts";
import { createSpanId, readTraceContext, traceparent } from "./trace-context.ts";

/** What one process tells of itself: metrics and traces. */
export interface GatewayTelemetry {
  readonly metrics: Metrics;
  /** See `GatewayServices.onStarted`. */
  onStarted(exchange: Exchange): void;
  /**
   * See `GatewayServices.onFinished`; never throws.
   *
   * @param record the request's record, where it has one
   */
  onFinished(outcome: Outcome, record: AuditRecord | undefined): void;
  /** See `GatewayServices.legHeaders`. */
  legHeaders(exchange: Exchange, leg: LegRecord): Readonly<Record<string, string>> | undefined;
  /** From now on requests are counted: somebody reads the metrics. */
  count(): void;
  /** Whether somebody reads the metrics. */
  isCounting(): boolean;
  families(): readonly MetricFamily[];
  /** Notes how long a call to the capacity store took, in milliseconds. */
  noteStoreCall(ms: number): void;
  /** Notes reservations nobody ended. */
  noteExpired(count: number): void;
  /** Counts what a sink had to throw away. */
  noteDropped(sink: string, count: number): void;
  /** What a sink is given. */
  forSink(sink: string): Telemetry;
}

/** What telemetry is made with. */
export interface TelemetryOptions extends SpanOptions {
  /** Whether the trace context is sent to providers. */
  readonly propagate: boolean;
  readonly log: Log;
}

/** Milliseconds between two lines about a fault of telemetry itself. */
const tellAgainMs = 60_000;

/** Creates the telemetry of a process. Until somebody reads it, a request costs it nothing. */
export function createTelemetry(options: TelemetryOptions): GatewayTelemetry {
  const { log, propagate } = options;
  const metrics = createMetrics();
  const tracers = new Set<Tracer>();
  const dropped = new Map<string, number>();
  let counting = false;
  let toldAt = -Infinity;

  metrics.observe("sinkDropped", function* () {
    for (const [sink, value] of dropped) yield { labels: { sink }, value };
  });

  /** A fault here is a fault of the gateway's, but no request's. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      const now = performance.now();
      if (now - toldAt < tellAgainMs) return;
      toldAt = now;
      log.error("Cannot note a request in metrics or traces", { error });
    }
  }

  function noteDropped(sink: string, count: number): void {
    dropped.set(sink, (dropped.get(sink) ?? 0) + count);
  }

  return {
    metrics,
    onStarted(exchange) {
      if (tracers.size === 0 && !propagate) return;
      const { headers } = exchange.request;
      const context = readTraceContext(headers["traceparent"], headers["tracestate"]);
      let sampled = false;
      guarded(() => {
        for (const tracer of tracers) {
          sampled = tracer.isSampled(context.traceId, context.parentSampled) || sampled;
        }
      });
      exchange.trace = { context, spanId: createSpanId(), sampled };
    },
    onFinished(outcome, record) {
      if (counting) guarded(() => noteRequest(metrics, outcome, record));
      const { trace } = outcome.exchange;
      if (!trace?.sampled) return;
      guarded(() => {
        const spans = spansOf(outcome, trace, record, options);
        for (const tracer of tracers) tracer.take(spans);
      });
    },
    legHeaders({ trace }, leg) {
      if (!trace || !propagate) return undefined;
      const { context, sampled } = trace;
      // Without a trace of our own the caller's is handed on as it is.
      leg.spanId ??= tracers.size > 0 ? createSpanId() : context.parentSpanId ?? createSpanId();
      const kept = tracers.size > 0 ? sampled : context.parentSampled ?? false;
      return {
        traceparent: traceparent(context.traceId, leg.spanId, kept),
        ...(context.state === undefined ? {} : { tracestate: context.state }),
      };
    },
    count: () => void (counting = true),
    isCounting: () => counting,
    families: () => metrics.families(),
    noteStoreCall(ms) {
      if (counting) metrics.instruments.capacityStore.note(metrics.process, ms / 1000);
    },
    noteExpired(count) {
      if (counting) metrics.instruments.capacityExpired.note(metrics.process, count);
    },
    noteDropped,
    forSink: (sink) => ({
      metrics: () => metrics.families(),
      trace(tracer) {
        tracers.add(tracer);
        return () => void tracers.delete(tracer);
      },
      noteDropped: (count) => noteDropped(sink, count),
    }),
  };
}
