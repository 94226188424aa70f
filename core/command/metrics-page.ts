import { definitions } from "../telemetry/names.ts";

/** The text of `docs/metrics.md`: every metric with its unit and the labels of its own. */
export function metricsPage(): string {
  return `${
    [
      "# Metrics",
      "",
      "<!-- Written by `npm run generate` from the definitions of the metrics. -->",
      "",
      "Where they go and how to switch them on is told in [telemetry.md](telemetry.md#metrics). These are OpenTelemetry's names;",
      "Prometheus' have underscores for dots, the unit at the end, and `_total` behind counters. Labels are listed beside those",
      "that every metric of requests has: workspace, environment, resource, connection, provider and model.",
      "",
      "| metric | type | unit | what it tells | labels |",
      "|---|---|---|---|---|",
      ...Object.values(definitions)
        // Nothing is counted there yet.
        .filter(({ name }) => !name.startsWith("vmx.batch."))
        .map(({ name, type, unit, description, labels }) =>
          `| \`${name}\` | ${type} | ${unit} | ${description} | ${
            labels.map((label) => `\`${label}\``).join(", ")
          } |`
        ),
    ].join("\n")
  }\n`;
}
