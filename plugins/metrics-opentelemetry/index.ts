import { definePlugin, type MetricSink, type Telemetry } from "@vmx/core/contract";
import type { BatchSettings } from "./export-spans.ts";
import type { Protocol } from "./exporters.ts";
import type { SamplerName } from "./sampler.ts";

/** See settings.schema.json. */
interface Settings extends BatchSettings {
  readonly disabled: boolean;
  readonly serviceName: string;
  readonly resourceAttributes?: string;
  readonly protocol: Protocol;
  readonly tracesProtocol?: Protocol;
  readonly metricsProtocol?: Protocol;
  readonly tracesExporter: "otlp" | "none";
  readonly metricsExporter: "otlp" | "none";
  readonly sampler: SamplerName;
  readonly samplerRatio: number;
  readonly metricIntervalMs: number;
  readonly metricTimeoutMs: number;
}

/** Milliseconds the last report may take at the end. */
const farewellMs = 2_000;

export default definePlugin({
  async activate(context) {
    // Validated by the host against settings.schema.json.
    const settings = context.config as unknown as Settings;
    const wantsTraces = !settings.disabled && settings.tracesExporter === "otlp";
    const wantsMetrics = !settings.disabled && settings.metricsExporter === "otlp";
    const [own, spansModule, metricsModule, exporters, samplers] = await Promise.all([
      import("./resource.ts"),
      import("./export-spans.ts"),
      import("./export-metrics.ts"),
      import("./exporters.ts"),
      import("./sampler.ts"),
    ]);
    const resource = own.createResource(settings.serviceName, settings.resourceAttributes);
    const { protocol, tracesProtocol = protocol, metricsProtocol = protocol } = settings;
    const spanExporter = wantsTraces
      ? await exporters.createSpanExporter(tracesProtocol)
      : undefined;
    const metricExporter = wantsMetrics
      ? await exporters.createMetricExporter(metricsProtocol)
      : undefined;
    const sampler = await samplers.createSampler(settings.sampler, settings.samplerRatio);
    const running: { flush(): Promise<void>; close(): Promise<void> }[] = [];

    const sink: MetricSink = {
      // What usage points say is in the metrics already.
      record: () => Promise.resolve(),
      export(telemetry: Telemetry) {
        const onDropped = (count: number) => telemetry.noteDropped(count);
        if (spanExporter) {
          const spans = spansModule.createSpanExport({
            exporter: spanExporter,
            sampler,
            resource,
            settings,
            onDropped,
          });
          telemetry.trace(spans);
          running.push(spans);
        }
        if (metricExporter) {
          running.push(metricsModule.createMetricExport({
            exporter: metricExporter,
            resource,
            clock: context.clock,
            metrics: () => telemetry.metrics(),
            intervalMs: settings.metricIntervalMs,
            timeoutMs: settings.metricTimeoutMs,
            onDropped,
          }));
        }
      },
      async flush() {
        await Promise.all(running.map((one) => one.flush()));
      },
      async close() {
        const closed = Promise.all(running.splice(0).map((one) => one.close()));
        await Promise.race([closed, later(farewellMs)]);
      },
    };
    context.provide("metricSinks", "opentelemetry", sink);
    context.onDispose(() => sink.close());
  },
});

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
