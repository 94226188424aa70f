import { GatewayError } from "../contract/index.ts";
import type { RoutingDecision } from "../routing/index.ts";
import type { Exchange } from "./exchange.ts";
import { mergedRequest } from "./merged-request.ts";

/**
 * Lets the rules of the target's resource decide, and notes the decision as an event. Undefined when there are no
 * rules. Tokens are counted without rules.
 *
 * Throws `blocked_by_routing_condition` when the winning route blocks; no other leg is tried then.
 */
export async function route(exchange: Exchange): Promise<RoutingDecision | undefined> {
  const { dialect, request, services } = exchange;
  const { operation } = request.endpoint;
  if (operation === "count-tokens") return undefined;
  const decision = await services.router.decide({
    caller: exchange.caller!,
    target: exchange.target!,
    envelope: exchange.envelope,
    body: exchange.body!.value,
    merged: () => mergedRequest(exchange),
    format: dialect.inbound.format,
    sourceIp: request.sourceIp,
    now: exchange.arrivedAt,
    revision: exchange.snapshot.revision,
  });
  if (!decision) return undefined;
  exchange.routing = decision.trace;
  exchange.routingErrors = decision.errors;
  const { selected } = decision;
  if (!selected) return decision;
  const name = selected.description ?? selected.routeId;
  if (selected.action === "BLOCK") {
    throw new GatewayError(
      "blocked_by_routing_condition",
      `Blocked by routing condition "${name}"`,
    );
  }
  noteRouted(exchange, decision, name);
  return decision;
}

function noteRouted(exchange: Exchange, { selected }: RoutingDecision, name: string): void {
  const { target } = exchange;
  const routed = selected!.target!;
  if (target?.kind !== "resource") return;
  const { model } = target.resource;
  exchange.events.push({
    timestamp: new Date(exchange.services.clock.now()).toISOString(),
    type: "routing",
    data: {
      originalProvider: model.provider,
      originalModel: model.model,
      routedProvider: routed.provider,
      routedModel: routed.model,
      matchedRoute: name,
    },
  });
}
