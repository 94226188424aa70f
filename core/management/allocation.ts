import { AllocationAnswer, Timestamp, Uuid } from "@vmx/schemas";
import Type from "typebox";
import { GatewayError } from "../contract/errors.ts";
import { environmentPath } from "./environments.ts";
import { parseTimestamp } from "./field.ts";
import { defineRoute, type Route } from "./route.ts";

/** Operations on how pools share connections. */
export const allocationRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: `${environmentPath}/pool-definition/allocation`,
    operationId: "getAllocation",
    summary: "Reads how pools share the connections of an environment, now and in the past day",
    tag: "Prioritization",
    access: { action: "capacity:get", resource: "workspace:{w}:environment:{e}:capacity" },
    query: Type.Object({
      connectionId: Type.Optional(Uuid),
      since: Type.Optional(Timestamp),
    }, { additionalProperties: false }),
    answer: AllocationAnswer,
    problems: ["ENVIRONMENT_NOT_FOUND", "AI_CONNECTION_NOT_FOUND"],
    async handler({ query, services, environment }) {
      const { connectionId } = query;
      if (connectionId !== undefined && !environment.connections.has(connectionId)) {
        throw new GatewayError(
          "AI_CONNECTION_NOT_FOUND",
          "No AI connection of the environment has the id in connectionId",
        );
      }
      const since = parseTimestamp(query.since, "query/since")?.getTime();
      return {
        at: new Date(services.clock.now()).toISOString(),
        pools: environment.pools.length,
        data: await services.allocation.view(environment, { connectionId, since }),
      };
    },
  }),
];
