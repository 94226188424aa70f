import type { CapacityView } from "../capacity/index.ts";
import { ephemeralId } from "./overrides.ts";
import type { CapacityUsage } from "./router.ts";

/** What rules are told of the limits of a request's resource, API key and connection. */
export function readCapacityUsage(view: Pick<CapacityView, "usage">): CapacityUsage {
  return ({ caller, resource, connectionId, model, period }) =>
    view.usage({
      environment: caller.environment,
      connectionId,
      model,
      period,
      resource: resource.resourceId === ephemeralId ? undefined : resource,
      apiKey: caller.kind === "api-key" ? caller.apiKey : undefined,
    });
}
