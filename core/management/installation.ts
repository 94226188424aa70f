import {
  listOf,
  Plugin as PluginSchema,
  PluginPatch,
  ProviderDescriptor,
  System,
} from "@vmx/schemas";
import { decideAccess } from "../access/authorize.ts";
import { resourceOf } from "../access/resource.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Contribution, PluginHost, PluginStatus } from "../host/plugin-host.ts";
import { PluginSetting } from "../store/entities/index.ts";
import { commit } from "./commit.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";

const plugins = "/api/v1/plugins";
const onePlugin = `${plugins}/{pluginId}`;
const pluginItem = { resource: "plugin:{item}", item: findPluginItem };

/** Operations on what belongs to the whole installation: providers, plugins, the system itself. */
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
    path: plugins,
    operationId: "listPlugins",
    summary: "Lists the plugins and what became of them",
    tag: "Installation",
    access: { action: "plugin:list", resource: "plugin" },
    answer: listOf(PluginSchema),
    handler: ({ services, snapshot, principal }) => ({
      data: services.host.plugins()
        .filter(({ id }) =>
          decideAccess(snapshot, principal, "plugin:list", resourceOf(["plugin"])).allowed ||
          decideAccess(snapshot, principal, "plugin:get", resourceOf(["plugin", { name: id, id }]))
            .allowed
        )
        .map(presentPlugin),
    }),
  }),

  defineRoute({
    method: "GET",
    path: onePlugin,
    operationId: "getPlugin",
    summary: "Reads a plugin; its id is the package name, percent-encoded",
    tag: "Installation",
    access: { action: "plugin:get", ...pluginItem },
    answer: PluginSchema,
    problems: ["PLUGIN_NOT_FOUND"],
    handler: ({ services, item }) => presentPlugin(findPlugin(services.host, item.id)),
  }),

  defineRoute({
    method: "PATCH",
    path: onePlugin,
    operationId: "updatePlugin",
    summary: "Switches a plugin on or off",
    tag: "Installation",
    access: { action: "plugin:update", ...pluginItem },
    body: PluginPatch,
    answer: PluginSchema,
    problems: ["PLUGIN_NOT_FOUND"],
    async handler(context) {
      const { host, requiredPlugins } = context.services;
      const { id } = context.item;
      const { enabled } = context.body;
      const purpose = requiredPlugins.get(id);
      if (enabled === false && purpose !== undefined) {
        throw new GatewayError(
          "VALIDATION_FAILED",
          `Cannot switch off plugin "${id}": ${purpose}`,
          { faults: [{ path: "/enabled", code: "required", message: "must stay true" }] },
        );
      }
      if (enabled !== undefined) {
        await commit(context, async ({ em, record }) => {
          const row = await em.findOne(PluginSetting, { pluginId: id });
          const before = row?.enabled ?? true;
          if (row) row.enabled = enabled;
          else em.create(PluginSetting, { pluginId: id, enabled });
          record({
            action: "plugin:update",
            entity: { type: "plugin", id, name: id },
            diff: before === enabled ? [] : [{ op: "replace", path: "/enabled", value: enabled }],
          });
        });
      }
      return presentPlugin(findPlugin(host, id));
    },
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
      const latencyMs = await services.database.ping().catch(() => undefined);
      return {
        version: services.config.version,
        revision: snapshot.revision,
        uptimeSeconds: Math.round(process.uptime()),
        runtime: "Deno" in globalThis
          ? `deno (node ${process.versions.node})`
          : `node ${process.versions.node}`,
        dependencies: [
          latencyMs === undefined
            ? { name: "database", state: "away" }
            : { name: "database", state: "ok", latencyMs },
        ],
        oidc: { enabled: false },
      };
    },
  }),
];

function presentProvider(contribution: Contribution) {
  const { id, aliases, label, entry, configuration, pluginId, pluginVersion } = contribution;
  return {
    id,
    aliases,
    name: label,
    description: String(entry["description"] ?? ""),
    logoUrl: null,
    defaultModel: entry["defaultModel"] ?? null,
    operations: entry["operations"] ?? [],
    nativeDialects: entry["nativeDialects"] ?? [],
    configSchema: configuration ?? { type: "object", additionalProperties: false },
    plugin: { id: pluginId, version: pluginVersion },
  };
}

function presentPlugin({ id, version, description, source, contributes, outcome }: PluginStatus) {
  return {
    id,
    version,
    description,
    source,
    enabled: outcome.state !== "disabled",
    contributes: contributes.map(({ point, id, label }) => ({ point, id, label })),
    outcome: outcome.state === "active"
      ? { state: outcome.state, ms: outcome.activatedInMs }
      : outcome.state === "failed"
      ? { state: outcome.state, stage: outcome.stage, error: outcome.error, ms: outcome.ms }
      : { state: outcome.state },
  };
}

function findPluginItem({ services, params }: RouteContext): Item {
  const { id } = findPlugin(services.host, params.pluginId ?? "");
  return { name: id, id };
}

function findPlugin(host: PluginHost, pluginId: string): PluginStatus {
  const plugin = host.plugins().find(({ id }) => id === pluginId);
  if (plugin) return plugin;
  throw new GatewayError("PLUGIN_NOT_FOUND", "The plugin in the path does not exist");
}
