import { SpanKind } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan, Sampler, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Span, Tracer } from "@vmx/core/contract";
import { parentOf } from "./sampler.ts";
import { toReadableSpan } from "./spans.ts";

/** How spans wait and leave; the names of OpenTelemetry's batch span processor. */
export interface BatchSettings {
  /** Spans that wait or are being sent at most. */
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduleDelayMs: number;
  /** Milliseconds after which a batch counts as lost. */
  readonly exportTimeoutMs: number;
}

/** Spans on their way out. */
export interface SpanExport extends Tracer {
  /** Sends what waits. Never rejects. */
  flush(): Promise<void>;
  /** The same for the last time. */
  close(): Promise<void>;
}

/**
 * Creates the way out for spans: a queue of bounded length, one batch at a time. The batch processor of the SDK has
 * such a queue, but tells nobody what it dropped.
 *
 * @param onDropped told how many spans were thrown away: no place in the queue, or a batch nobody took
 */
export function createSpanExport(
  parts: {
    readonly exporter: SpanExporter;
    readonly sampler: Sampler;
    readonly resource: Resource;
    readonly settings: BatchSettings;
    readonly onDropped: (count: number) => void;
  },
): SpanExport {
  const { exporter, resource, sampler, settings, onDropped } = parts;
  const waiting: Span[] = [];
  let sending: Promise<void> | undefined;
  let sendingCount = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    if (sending || waiting.length === 0) return;
    if (waiting.length >= settings.maxExportBatchSize) return send();
    timer ??= setTimeout(send, settings.scheduleDelayMs);
    timer.unref();
  }

  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    if (sending || waiting.length === 0) return;
    const batch = waiting.splice(0, settings.maxExportBatchSize);
    sendingCount = batch.length;
    sending = exportBatch(batch.map((span) => toReadableSpan(span, resource))).then((taken) => {
      if (!taken) onDropped(batch.length);
      sending = undefined;
      sendingCount = 0;
      schedule();
    });
  }

  function exportBatch(batch: ReadableSpan[]): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), settings.exportTimeoutMs);
      late.unref();
      const done = (taken: boolean) => {
        clearTimeout(late);
        resolve(taken);
      };
      try {
        exporter.export(batch, ({ code }) => done(code === 0));
      } catch {
        done(false);
      }
    });
  }

  async function flush(): Promise<void> {
    // What comes in meanwhile is left to the next round.
    for (let left = waiting.length + sendingCount; left > 0;) {
      send();
      left -= sendingCount;
      await sending;
    }
  }

  return {
    isSampled(traceId, parentSampled) {
      const name = "request";
      const result = sampler.shouldSample(
        parentOf(traceId, parentSampled),
        traceId,
        name,
        SpanKind.SERVER,
        {},
        [],
      );
      return result.decision !== 0;
    },
    take(spans) {
      const room = Math.max(0, settings.maxQueueSize - waiting.length - sendingCount);
      const taken = spans.slice(0, room);
      if (taken.length < spans.length) onDropped(spans.length - taken.length);
      waiting.push(...taken);
      schedule();
    },
    flush,
    async close() {
      await flush();
      await exporter.shutdown().catch(() => {});
    },
  };
}
