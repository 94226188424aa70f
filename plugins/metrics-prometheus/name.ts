import type { MetricFamily } from "@vmx/core/contract";

const suffixes: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", "%": "percent" };

/** The metric's name with its unit behind it, as Prometheus asks; the serializer replaces the dots. */
export function prometheusName({ name, unit }: Pick<MetricFamily, "name" | "unit">): string {
  const suffix = suffixes[unit];
  return suffix === undefined || name.endsWith(suffix) ? name : `${name}.${suffix}`;
}
