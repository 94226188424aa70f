import { type HrTime, ValueType } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { MetricFamily, MetricPoint } from "@vmx/core/contract";

/** When the counting began and when it was looked at, in Unix milliseconds. */
export interface MetricTimes {
  readonly startAt: number;
  readonly endAt: number;
}

const scope = { name: "vmx-gateway" };

/** The gateway's metrics in the shape OpenTelemetry's exporters take. Metrics without points are left out. */
export function toResourceMetrics(
  families: readonly MetricFamily[],
  resource: Resource,
  times: MetricTimes,
): ResourceMetrics {
  const known = families.filter(({ points }) => points.length > 0);
  return { resource, scopeMetrics: [{ scope, metrics: known.map((one) => metricOf(one, times)) }] };
}

function metricOf(family: MetricFamily, times: MetricTimes): MetricData {
  const { description, name, points, type, unit } = family;
  const base = {
    descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (type === "gauge") {
    const dataPoints = points.map((point) => ({ ...common(point, times), value: point.value }));
    return { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
  }
  if (type === "counter") {
    const dataPoints = points.map((point) => ({ ...common(point, times), value: point.value }));
    return { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  }
  return {
    ...base,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: points.map((point) => ({
      ...common(point, times),
      value: {
        buckets: {
          boundaries: [...point.buckets!.bounds],
          counts: [...point.buckets!.counts],
        },
        sum: point.value,
        count: point.buckets!.count,
      },
    })),
  };
}

function common({ labels }: MetricPoint, { startAt, endAt }: MetricTimes) {
  return { attributes: { ...labels }, startTime: hrTime(startAt), endTime: hrTime(endAt) };
}

/** Unix milliseconds as OpenTelemetry writes time: whole seconds and nanoseconds. */
export function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1_000_000)];
}
