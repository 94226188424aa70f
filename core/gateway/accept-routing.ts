import type { Routing, RoutingPatch } from "@vmx/schemas";
import type { PluginHost } from "../host/plugin-host.ts";
import { compileRouting, type NormalisedRouting, normaliseRouting } from "../routing/index.ts";
import { routingEvaluators } from "./routing-evaluators.ts";

/**
 * Checks rules as sent, merged over the stored ones, and answers them in stored form but for their slots, which are
 * resolved together with all others. Whoever takes rules in takes them in here, so that one rule has one verdict.
 *
 * Throws as `normaliseRouting` and `compileRouting` do.
 */
export async function acceptRouting(
  sent: RoutingPatch | null | undefined,
  stored: Routing | null,
  host: PluginHost,
): Promise<NormalisedRouting | null> {
  if (sent === undefined) return stored;
  if (sent === null) return null;
  const routing = normaliseRouting({ ...stored, ...sent });
  // Rules that stay were accepted before: switching them off must not depend on a plugin being there.
  if (sent.conditions) compileRouting(routing, await routingEvaluators(host));
  return routing;
}
