import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { SpanExporter } from "@opentelemetry/sdk-trace";

/** How OTLP is carried; OTEL_EXPORTER_OTLP_PROTOCOL's values. */
export const protocols = ["http/protobuf", "http/json", "grpc"] as const;

/** See `protocols`. */
export type Protocol = (typeof protocols)[number];

/*
 * Endpoint, headers, compression, timeouts and certificates are read by the exporters themselves from the standard
 * OTEL_EXPORTER_OTLP_* variables. Each library is loaded only when it is the one to be used.
 */

/** Creates the exporter of spans. */
export async function createSpanExporter(protocol: Protocol): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await {
    "http/protobuf": () => import("@opentelemetry/exporter-trace-otlp-proto"),
    "http/json": () => import("@opentelemetry/exporter-trace-otlp-http"),
    grpc: () => import("@opentelemetry/exporter-trace-otlp-grpc"),
  }[protocol]();
  return new OTLPTraceExporter();
}

/** Creates the exporter of metrics. */
export async function createMetricExporter(protocol: Protocol): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } = await {
    "http/protobuf": () => import("@opentelemetry/exporter-metrics-otlp-proto"),
    "http/json": () => import("@opentelemetry/exporter-metrics-otlp-http"),
    grpc: () => import("@opentelemetry/exporter-metrics-otlp-grpc"),
  }[protocol]();
  return new OTLPMetricExporter();
}
