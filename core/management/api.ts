import { AnyObject } from "@vmx/schemas";
import { activityRoutes } from "./activity.ts";
import { createConnectionProbeRoutes } from "./ai-connection-probes.ts";
import { aiConnectionRoutes } from "./ai-connections.ts";
import { aiResourceProbeRoutes } from "./ai-resource-probes.ts";
import { aiResourceRoutes } from "./ai-resources.ts";
import { allocationRoutes } from "./allocation.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { auditRoutes } from "./audit.ts";
import { authRoutes } from "./auth.ts";
import { federatedAuthRoutes } from "./auth-federated.ts";
import { environmentRoutes } from "./environments.ts";
import { installationRoutes } from "./installation.ts";
import { liveCapacityRoutes } from "./live-capacity.ts";
import { keyRoutes } from "./keys/routes.ts";
import { meRoutes } from "./me.ts";
import { createOpenApi } from "./openapi.ts";
import { pluginRoutes } from "./plugins.ts";
import { roleMemberRoutes } from "./role-members.ts";
import { roleSimulationRoutes } from "./role-simulation.ts";
import { poolDefinitionRoutes } from "./pool-definition.ts";
import { priceListRoutes } from "./price-lists.ts";
import { roleRoutes } from "./roles.ts";
import { defineRoute, type Route } from "./route.ts";
import { usageRoutes } from "./usage.ts";
import { userRoutes } from "./users.ts";
import { workspaceMemberRoutes } from "./workspace-members.ts";
import { workspaceRoutes } from "./workspaces.ts";

/** The route table of the management API with the document that describes it. */
export interface ManagementApi {
  readonly routes: readonly Route[];
  /** OpenAPI 3.1. */
  readonly openApi: Readonly<Record<string, unknown>>;
}

/** Builds the route table. Fixed paths stand before those with parameters in their place. */
export function createManagementApi(version: string): ManagementApi {
  const routes: Route[] = [
    defineRoute({
      method: "GET",
      path: "/api/v1/openapi.json",
      operationId: "getOpenApi",
      summary: "Reads this document",
      tag: "Installation",
      access: "public",
      answer: AnyObject,
      handler: () => openApi,
    }),
    ...authRoutes,
    ...federatedAuthRoutes,
    ...meRoutes,
    ...userRoutes,
    ...roleSimulationRoutes,
    ...roleRoutes,
    ...roleMemberRoutes,
    ...workspaceRoutes,
    ...workspaceMemberRoutes,
    ...environmentRoutes,
    ...createConnectionProbeRoutes(),
    ...aiConnectionRoutes,
    ...aiResourceProbeRoutes,
    ...aiResourceRoutes,
    ...apiKeyRoutes,
    ...poolDefinitionRoutes,
    ...allocationRoutes,
    ...liveCapacityRoutes,
    ...auditRoutes,
    ...usageRoutes,
    ...priceListRoutes,
    ...activityRoutes,
    ...pluginRoutes,
    ...installationRoutes,
    ...keyRoutes,
  ].flatMap(withPut);
  const openApi = createOpenApi(routes, version);
  return { routes, openApi };
}

/** PUT is accepted wherever PATCH is and means the same, unless a route of its own says otherwise. */
function withPut(route: Route, _index: number, all: readonly Route[]): Route[] {
  const hasOwn = all.some(({ method, path }) => method === "PUT" && path === route.path);
  if (route.method !== "PATCH" || hasOwn) return [route];
  const operationId = route.operationId.replace(/^update/, "put");
  return [route, { ...route, method: "PUT", operationId, summary: `${route.summary} (as PATCH)` }];
}
