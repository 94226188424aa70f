import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { emptyResource } from "@opentelemetry/resources";
import type { Clock, MetricSink } from "@vmx/core/contract";
import { toResourceMetrics } from "@vmx/metrics-opentelemetry/resource-metrics";
import { prometheusName } from "./name.ts";

const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** Creates the text of the metrics port. */
export function createExpose(clock: Pick<Clock, "now">): NonNullable<MetricSink["expose"]> {
  const startAt = clock.now();
  // Neither prefix nor times; the target is named by whoever scrapes it.
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return (families) => {
    const named = families.map((family) => ({ ...family, name: prometheusName(family), unit: "" }));
    const metrics = toResourceMetrics(named, emptyResource(), { startAt, endAt: clock.now() });
    return Promise.resolve({ contentType, text: `${serializer.serialize(metrics).trimEnd()}\n` });
  };
}
