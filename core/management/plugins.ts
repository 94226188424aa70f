import { listOf, Plugin as PluginSchema, PluginPatch } from "@vmx/schemas";
import { decideAccess } from "../access/authorize.ts";
import { resourceOf } from "../access/resource.ts";
import { GatewayError } from "../contract/errors.ts";
import { type Configuration, mask, secretPaths } from "../host/configuration-schema.ts";
import { faultSentence } from "../host/faults.ts";
import type { PluginHost, PluginStatus } from "../host/plugin-host.ts";
import { isSameSettings } from "../host/stored-settings.ts";
import { PluginSetting } from "../store/entities/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { commit } from "./commit.ts";
import { checkVersion, etagOf } from "./etag.ts";
import { neededBackends } from "./keys/sealed-values.ts";
import { diff } from "./merge-patch.ts";
import { defineRoute, type Item, type Route, type RouteContext } from "./route.ts";
import type { ManagementServices } from "./services.ts";
import { type MergedSettings, mergeSettings, sealSettings } from "./sealed-settings.ts";

const list = "/api/v1/plugins";
const one = `${list}/{pluginId}`;
const tag = "Installation";
const item = { resource: "plugin:{item}", item: findItem };

/** Operations on plugins. */
export const pluginRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: list,
    operationId: "listPlugins",
    summary: "Lists the plugins and what became of them",
    tag,
    access: { action: "plugin:list", resource: "plugin" },
    answer: listOf(PluginSchema),
    handler: async ({ services, snapshot, principal }) => ({
      data: await Promise.all(
        services.host.plugins()
          .filter(({ id }) =>
            decideAccess(snapshot, principal, "plugin:list", resourceOf(["plugin"])).allowed ||
            decideAccess(
              snapshot,
              principal,
              "plugin:get",
              resourceOf(["plugin", { name: id, id }]),
            )
              .allowed
          )
          .map((plugin) => presentPlugin(plugin, snapshot, services.encryption)),
      ),
    }),
  }),

  defineRoute({
    method: "GET",
    path: one,
    operationId: "getPlugin",
    summary: "Reads a plugin; its id is the package name, percent-encoded",
    tag,
    access: { action: "plugin:get", ...item },
    answer: PluginSchema,
    problems: ["PLUGIN_NOT_FOUND"],
    handler: answerOne,
  }),

  defineRoute({
    method: "PATCH",
    path: one,
    operationId: "updatePlugin",
    summary: "Switches a plugin on or off, and changes its settings for its next start",
    tag,
    access: { action: "plugin:update", ...item },
    body: PluginPatch,
    answer: PluginSchema,
    problems: [
      "PLUGIN_NOT_FOUND",
      "AI_CONNECTION_CONFIG_INVALID",
      "VERSION_MISMATCH",
      "ENCRYPTION_UNAVAILABLE",
    ],
    async handler(context) {
      const { host, requiredPlugins, encryption } = context.services;
      const { id } = context.item;
      const { enabled, settings } = context.body;
      const plugin = findPlugin(host, id);
      const purpose = enabled === false
        ? requiredPlugins.get(id) ?? await sealingPurpose(context.services, id)
        : undefined;
      if (purpose !== undefined) {
        throw new GatewayError(
          "VALIDATION_FAILED",
          `Cannot switch off plugin "${id}": ${purpose}`,
          { faults: [{ path: "/enabled", code: "required", message: "must stay true" }] },
        );
      }
      if (settings !== undefined) refuseUnsettable(host, plugin);
      await commit(context, async ({ em, record }) => {
        const row = await em.findOne(PluginSetting, { pluginId: id });
        checkVersion(context.ifMatch, { version: row?.version ?? 0 });
        const before = row?.settings ?? {};
        const next = { enabled: enabled ?? row?.enabled ?? true, settings: before };
        const steps: unknown[] = diff({ enabled: row?.enabled ?? true }, { enabled: next.enabled });
        if (settings !== undefined && plugin.settings) {
          const { schema } = plugin.settings;
          const merged = checkSettings(plugin, before, settings);
          const sealed = await sealSettings(
            schema,
            merged.config,
            merged.kept,
            await encryption(),
            {
              environment: "installation",
              owner: id,
            },
          );
          steps.push(...described(plugin, before, sealed, merged));
          next.settings = { ...sealed };
        }
        if (steps.length === 0) return;
        if (row) Object.assign(row, next);
        else em.create(PluginSetting, { pluginId: id, ...next });
        record({ action: "plugin:update", entity: { type: "plugin", id, name: id }, diff: steps });
      });
      return answerOne({ ...context, snapshot: context.services.loader.current() });
    },
  }),
];

async function answerOne(
  { services, snapshot, item, reply }: Pick<
    RouteContext<unknown, unknown, Item>,
    "services" | "snapshot" | "item" | "reply"
  >,
) {
  const plugin = findPlugin(services.host, item.id);
  const answer = await presentPlugin(plugin, snapshot, services.encryption);
  reply.headers = { ...reply.headers, etag: etagOf(answer.settingsVersion) };
  return answer;
}

async function presentPlugin(
  plugin: PluginStatus,
  snapshot: Snapshot,
  encryption: ManagementServices["encryption"],
) {
  const { id, version, description, source, contributes, outcome, settings } = plugin;
  const stored = snapshot.plugins.get(id);
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
    settingsVersion: stored?.version ?? 0,
    settingsSchema: settings?.schema ?? null,
    settings: settings ? mask(settings.schema, stored?.settings ?? {}) : null,
    settingsFixed: settings?.fixed ?? {},
    settingsPending: settings?.activeWith !== undefined &&
      !await isSameSettings(
        id,
        settings.schema,
        [settings.activeWith, stored?.settings ?? {}],
        encryption,
      ),
  };
}

/** A backend that no longer seals is needed as long as something is sealed with it. */
async function sealingPurpose(
  { database, host }: Pick<ManagementServices, "database" | "host">,
  id: string,
): Promise<string | undefined> {
  const own = host.contributions("encryptions").filter(({ pluginId }) => pluginId === id);
  if (own.length === 0) return undefined;
  const needed = await neededBackends(database.em(), host);
  const found = own.find((backend) => needed.has(backend.id));
  return found && `stored secrets are sealed with its encryption backend "${found.id}"`;
}

/** Settings somebody cannot store: of a plugin without any, and of one that would have to seal them itself. */
function refuseUnsettable(host: PluginHost, { id, settings }: PluginStatus): void {
  const seals = host.contributions("encryptions").some(({ pluginId }) => pluginId === id);
  if (settings && !seals) return;
  throw new GatewayError(
    "VALIDATION_FAILED",
    `Cannot store settings of plugin "${id}": ${
      settings ? "what seals secrets is set by environment variables alone" : "it has none"
    }`,
    { faults: [{ path: "/settings", code: "settings", message: "cannot be stored" }] },
  );
}

function checkSettings(
  { id, settings }: PluginStatus,
  before: Configuration,
  sent: Configuration,
): MergedSettings {
  const merged = mergeSettings(settings!.schema, before, sent);
  // What the environment provides need not be stored.
  const faults = merged.faults.filter(({ path, code }) =>
    code !== "required" || !Object.hasOwn(settings!.fixed, path.split("/")[1] ?? "")
  );
  if (faults.length === 0) return merged;
  const moved = faults.some(({ code }) => code === "secret_required");
  throw new GatewayError(
    moved ? "AI_CONNECTION_CONFIG_INVALID" : "VALIDATION_FAILED",
    `Cannot set plugin "${id}": ${faultSentence(faults)}`,
    { faults: faults.map((fault) => ({ ...fault, path: `/settings${fault.path}` })) },
  );
}

/** What changed, for the activity trail; of a secret only that it did. */
function described(
  { settings }: PluginStatus,
  before: Configuration,
  after: Configuration,
  { kept }: MergedSettings,
) {
  const { schema } = settings!;
  const replaced = secretPaths(schema, after).filter((path) => !kept.includes(path));
  return [
    ...diff({ settings: mask(schema, before) }, { settings: mask(schema, after) }),
    ...replaced.map((path) => ({
      op: "replace",
      path: `/settings/${path.replaceAll(".", "/")}`,
      value: "changed",
    })),
  ];
}

function findItem({ services, params }: RouteContext): Item {
  const { id } = findPlugin(services.host, params.pluginId ?? "");
  return { name: id, id };
}

function findPlugin(host: PluginHost, pluginId: string): PluginStatus {
  const plugin = host.plugins().find(({ id }) => id === pluginId);
  if (plugin) return plugin;
  throw new GatewayError("PLUGIN_NOT_FOUND", "The plugin in the path does not exist");
}
