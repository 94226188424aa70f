import type { Resource } from "@opentelemetry/resources";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { Clock, MetricFamily } from "@vmx/core/contract";
import { toResourceMetrics } from "./resource-metrics.ts";

/** Metrics on their way out. */
export interface MetricExport {
  /** Sends the present state once. Never rejects. */
  flush(): Promise<void>;
  /** The same for the last time. */
  close(): Promise<void>;
}

/**
 * Sends all metrics at intervals. A round that is still under way when the next is due makes that one fall out:
 * what counts up is complete in the one after.
 *
 * @param onDropped told how many points a collector did not take
 */
export function createMetricExport(
  parts: {
    readonly exporter: PushMetricExporter;
    readonly resource: Resource;
    readonly clock: Pick<Clock, "now">;
    readonly metrics: () => readonly MetricFamily[];
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly onDropped: (count: number) => void;
  },
): MetricExport {
  const { clock, exporter, metrics, onDropped, resource, timeoutMs } = parts;
  const startAt = clock.now();
  let sending: Promise<void> | undefined;

  function send(): Promise<void> {
    const families = metrics();
    const points = families.reduce((sum, family) => sum + family.points.length, 0);
    return new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), timeoutMs);
      late.unref();
      const done = (taken: boolean) => {
        clearTimeout(late);
        resolve(taken);
      };
      try {
        const times = { startAt, endAt: clock.now() };
        exporter.export(
          toResourceMetrics(families, resource, times),
          ({ code }) => done(code === 0),
        );
      } catch {
        done(false);
      }
    }).then((taken) => {
      if (!taken) onDropped(points);
    });
  }

  const round = (): Promise<void> => sending ??= send().finally(() => sending = undefined);
  const timer = setInterval(() => void round(), parts.intervalMs);
  timer.unref();

  return {
    async flush() {
      await sending;
      await round();
    },
    async close() {
      clearInterval(timer);
      await sending;
      await round();
      await exporter.shutdown().catch(() => {});
    },
  };
}
