import type { Exposition, Log, MetricSink } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { GatewayTelemetry } from "./create-telemetry.ts";

/** Ids of the metric sinks to export to: those the operator named, and those a variable that is set asks for. */
export function exportingSinks(
  host: Pick<PluginHost, "contributions">,
  environment: Readonly<Record<string, string | undefined>>,
  named: readonly string[],
): string[] {
  const asked = host.contributions("metricSinks").filter(({ id, entry }) =>
    named.includes(id) ||
    Array.isArray(entry["selectedBy"]) && entry["selectedBy"].some((name) => environment[name])
  );
  return asked.map(({ id }) => id);
}

/** Hands the telemetry to the sinks that export it. One that does not work is named in the log and left out. */
export async function startExports(
  host: Pick<PluginHost, "get">,
  ids: readonly string[],
  telemetry: GatewayTelemetry,
  log: Log,
): Promise<void> {
  await Promise.all(ids.map(async (id) => {
    const sink = await findSink(host, id, log);
    if (!sink?.export) return;
    sink.export(telemetry.forSink(id));
    telemetry.count();
  }));
}

/** What the metrics port answers; undefined while its plugin does not work. */
export function createExpose(
  host: Pick<PluginHost, "get">,
  id: string,
  telemetry: GatewayTelemetry,
  log: Log,
): () => Promise<Exposition | undefined> {
  telemetry.count();
  return async () => {
    const sink = await findSink(host, id, log);
    return await sink?.expose?.(telemetry.families());
  };
}

async function findSink(
  host: Pick<PluginHost, "get">,
  id: string,
  log: Log,
): Promise<MetricSink | undefined> {
  try {
    return await host.get("metricSinks", id);
  } catch (error) {
    log.error(`Cannot export metrics to "${id}"`, { error });
    return undefined;
  }
}
