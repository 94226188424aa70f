import type { RoutingRoute } from "@vmx/schemas";
import type { RoutingEvaluator } from "../contract/index.ts";
import type { PluginHost } from "../host/plugin-host.ts";
import type { RoutingEvaluators } from "../routing/index.ts";

/**
 * The evaluator of each mode of rules, whose plugins are activated when that has not happened yet. A mode has none
 * when every plugin for it is away, switched off or failed.
 */
export async function routingEvaluators(host: PluginHost): Promise<RoutingEvaluators> {
  const [UI, ADVANCED] = await Promise.all([evaluator(host, "UI"), evaluator(host, "ADVANCED")]);
  return { UI, ADVANCED };
}

/** The first that can be had, in order of discovery. */
async function evaluator(
  host: PluginHost,
  mode: RoutingRoute["mode"],
): Promise<RoutingEvaluator | undefined> {
  for (const { entry, id } of host.contributions("routings")) {
    if (entry["mode"] !== mode) continue;
    try {
      return await host.get("routings", id);
    } catch {
      // Why is told by the plugin's outcome; rules of the mode say that nobody evaluates them.
    }
  }
  return undefined;
}
