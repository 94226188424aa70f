import { listOf, ProviderDescriptor, System } from "@vmx/schemas";
import type { FederationState } from "./federation/federation.ts";
import type { Contribution } from "../host/plugin-host.ts";
import { defineRoute, type Route } from "./route.ts";

/** Operations on what belongs to the whole installation: providers and the system itself. */
export const installationRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/ai-providers",
    operationId: "listAiProviders",
    summary: "Lists the providers that connections can use, with the schemas of their settings",
    tag: "AI connections",
    access: "self",
    answer: listOf(ProviderDescriptor),
    handler: ({ services }) => ({
      data: services.host.contributions("providers").map(presentProvider),
    }),
  }),

  defineRoute({
    method: "GET",
    path: "/api/v1/system",
    operationId: "getSystem",
    summary: "Reads version, revision and the state of what the gateway depends on",
    tag: "Installation",
    access: { action: "system:get", resource: "system" },
    answer: System,
    async handler({ services, snapshot }) {
      return {
        ...await services.status.read(),
        version: services.config.version,
        revision: snapshot.revision,
        uptimeSeconds: Math.round(process.uptime()),
        runtime: "Deno" in globalThis
          ? `deno (node ${process.versions.node})`
          : `node ${process.versions.node}`,
        oidc: presentFederation(await services.federation.state()),
      };
    },
  }),
];

function presentFederation(state: FederationState) {
  return state.enabled ? { ...state, since: state.since.toISOString() } : { enabled: false };
}

function presentProvider(contribution: Contribution) {
  const { id, aliases, label, entry, configuration, pluginId, pluginVersion } = contribution;
  return {
    id,
    aliases,
    name: label,
    description: String(entry["description"] ?? ""),
    logoUrl: contribution.logoUrl ?? null,
    defaultModel: entry["defaultModel"] ?? null,
    operations: entry["operations"] ?? [],
    nativeDialects: entry["nativeDialects"] ?? [],
    configSchema: configuration ?? { type: "object", additionalProperties: false },
    plugin: { id: pluginId, version: pluginVersion },
  };
}
