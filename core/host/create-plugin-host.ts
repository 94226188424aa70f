import { relative } from "node:path";
import {
  type ContributionPoint,
  type ContributionPoints,
  GatewayError,
} from "../contract/index.ts";
import { StartError } from "../start-error.ts";
import type { Surroundings } from "./activate-plugin.ts";
import type { Configuration, JsonSchema } from "./configuration-schema.ts";
import { discover, type FoundPackage } from "./discover.ts";
import {
  createManifestReader,
  manifestVariables,
  packageName,
  type RegisteredPlugin,
} from "./manifest.ts";
import type { Contribution, PluginHost, PluginStatus } from "./plugin-host.ts";
import { pluginSettings } from "./plugin-settings.ts";
import { createPluginSlot, type PluginSlot } from "./plugin-slot.ts";
import type { StoredSettings } from "./stored-settings.ts";
import { activationEvent, points } from "./points.ts";

/** What the host works with. */
export interface PluginHostOptions extends Surroundings {
  /** Folder of the installation: the one whose package.json names the plugins. */
  readonly root: string;
  /** Version of core that `engines.vmx` must include. */
  readonly coreVersion: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Further folders with plugins. */
  readonly folders?: readonly string[];
  /** Stored settings of a plugin; asked for when the plugin is activated. */
  readonly settings?: (
    pluginId: string,
    schema: JsonSchema,
  ) => Promise<StoredSettings | undefined>;
  /** Names of plugins that are switched off. */
  readonly disabled?: readonly string[];
  /** Plugins that ask for `onStartup` wait for it: until then nobody knows which are switched off. */
  readonly switched?: Promise<unknown>;
  /** Milliseconds a plugin may take to load and activate; 10 s when absent. */
  readonly timeoutMs?: number;
  /** Milliseconds each disposer may take; 5 s when absent. */
  readonly disposeTimeoutMs?: number;
}

/**
 * Finds and registers all plugins; imports none but those that ask for `onStartup`.
 * Rejects with a StartError when two plugins claim one id.
 */
export async function createPluginHost(options: PluginHostOptions): Promise<PluginHost> {
  const { root, log, environment } = options;
  const limits = {
    activateMs: options.timeoutMs ?? 10_000,
    disposeMs: options.disposeTimeoutMs ?? 5_000,
  };
  const found = await discover(root, options.folders);
  const read = createManifestReader(options.coreVersion);
  const activated: PluginSlot[] = [];
  const activeWith = new Map<string, Configuration>();
  const entries = await Promise.all(found.map(async (candidate) => {
    try {
      return { candidate, plugin: await read(candidate) };
    } catch (error) {
      const reason = (error as Error).message;
      log.error(reason);
      return { candidate, reason };
    }
  }));
  refuseDoubles(entries.flatMap(({ plugin }) => plugin ?? []), root);

  const rows = entries.map(({ candidate, plugin, reason }) => {
    if (!plugin) return { candidate, reason };
    const slot: PluginSlot = createPluginSlot(
      plugin,
      async () => {
        const { id, settingsSchema } = plugin;
        const stored = settingsSchema && await options.settings?.(id, settingsSchema);
        activeWith.set(id, stored?.sealed ?? {});
        return pluginSettings(plugin, environment, stored?.opened);
      },
      options,
      limits,
      () => activated.push(slot),
    );
    if (options.disabled?.includes(plugin.id)) slot.setEnabled(false);
    return { candidate, slot };
  });
  const slots = rows.flatMap(({ slot }) => slot ?? []);
  const all = slots.flatMap(({ plugin }) => plugin.contributions);
  const byName = new Map<string, Contribution>();
  for (const entry of all) {
    for (const name of [entry.id, ...entry.aliases]) byName.set(`${entry.point}/${name}`, entry);
  }
  let disposed = false;

  const find = (point: ContributionPoint, name: string) => byName.get(`${point}/${name}`);
  const byPlugin = new Map(slots.map((slot) => [slot.plugin.id, slot]));
  const slotOf = (pluginId: string) => byPlugin.get(pluginId);

  /** Activates everyone who waits for the event; only the caller's own plugin is awaited. */
  function fire(event: string, except?: PluginSlot): void {
    for (const slot of slots) {
      if (slot === except || !slot.plugin.activationEvents.includes(event)) continue;
      slot.activate().catch(() => {}); // The failure is the plugin's outcome.
    }
  }

  async function get<Point extends ContributionPoint>(
    point: Point,
    id: string,
  ): Promise<ContributionPoints[Point]> {
    const what = `${points[point].label} "${id}"`;
    if (disposed) {
      throw new GatewayError("shutting_down", `Cannot use ${what}: the gateway is shutting down`);
    }
    const entry = find(point, id);
    const slot = entry && slotOf(entry.pluginId);
    if (!slot) {
      throw new GatewayError("PLUGIN_NOT_FOUND", `Cannot find ${what}: no plugin provides it`);
    }
    if (slot.outcome().state === "disabled") {
      throw new GatewayError(
        point === "providers" ? "connection_disabled" : "operation_not_supported",
        `Cannot use ${what}: plugin "${slot.plugin.id}" is switched off`,
      );
    }
    const ready = slot.implementation(point, entry.id);
    if (ready !== undefined) return ready as ContributionPoints[Point];
    fire(activationEvent(point, entry.id), slot);
    try {
      await slot.activate();
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new GatewayError("unknown_error", `Cannot use ${what}: ${reason}`, { cause });
    }
    return slot.implementation(point, entry.id) as ContributionPoints[Point];
  }

  const host: PluginHost = {
    plugins: () =>
      rows.map(({ candidate, slot, reason }) => ({
        ...status(candidate, slot, reason),
        ...(slot ? settingsStatus(slot.plugin, environment, activeWith) : {}),
      })),
    contributions: (point) => all.filter((entry) => entry.point === point),
    find,
    get,
    active<Point extends ContributionPoint>(point: Point, id: string) {
      const entry = find(point, id);
      const value = entry && slotOf(entry.pluginId)?.implementation(point, entry.id);
      return value as ContributionPoints[Point] | undefined;
    },
    setEnabled(pluginId, enabled) {
      const slot = slotOf(pluginId);
      if (!slot) {
        const message = `Cannot switch plugin "${pluginId}": there is no such plugin`;
        throw new GatewayError("PLUGIN_NOT_FOUND", message);
      }
      slot.setEnabled(enabled);
    },
    variables:
      () => [...new Set(slots.flatMap(({ plugin }) => manifestVariables(plugin.manifest)))],
    async dispose() {
      if (disposed) return;
      disposed = true;
      // Those still activating come first: they are the newest.
      const pending = slots.filter((slot) => !activated.includes(slot));
      await Promise.all(pending.map((slot) => slot.dispose()));
      for (const slot of activated.splice(0).reverse()) await slot.dispose();
    },
  };

  if (options.switched) options.switched.then(() => fire("onStartup"), () => {});
  else fire("onStartup");
  return host;
}

function status(
  candidate: FoundPackage,
  slot: PluginSlot | undefined,
  reason: string | undefined,
): PluginStatus {
  const text = (value: unknown) => typeof value === "string" ? value : "";
  return {
    id: packageName(candidate),
    version: text(candidate.packageJson?.version),
    description: text(candidate.packageJson?.description),
    source: candidate.source,
    contributes: (slot?.plugin.contributions ?? []).map(({ point, id, label }) => ({
      point,
      id,
      label,
    })),
    outcome: slot?.outcome() ?? { state: "failed", stage: "manifest", error: reason ?? "", ms: 0 },
  };
}

function settingsStatus(
  { id, settingsSchema, manifest }: RegisteredPlugin,
  environment: PluginHostOptions["environment"],
  activeWith: ReadonlyMap<string, Configuration>,
): Pick<PluginStatus, "settings"> {
  if (!settingsSchema) return {};
  const variables = Object.entries(manifest.contributes.settings?.environment ?? {});
  const fixed = Object.fromEntries(
    variables.filter(([variable]) => environment[variable]).map(([variable, name]) => [
      name,
      variable,
    ]),
  );
  return { settings: { schema: settingsSchema, fixed, activeWith: activeWith.get(id) } };
}

function refuseDoubles(plugins: readonly RegisteredPlugin[], root: string): void {
  const owners = new Map<string, RegisteredPlugin>();
  const name = ({ id, found }: RegisteredPlugin) => `"${id}" (${relative(root, found.folder)})`;
  for (const plugin of plugins) {
    const twin = plugins.find((other) => other !== plugin && other.id === plugin.id);
    if (twin) throw new StartError(`Cannot start: plugin ${name(plugin)} is also ${name(twin)}`);
    for (const { point, id, aliases } of plugin.contributions) {
      for (const claimed of new Set([id, ...aliases])) {
        const owner = owners.get(`${point}/${claimed}`);
        if (owner) {
          throw new StartError(
            `Cannot start: plugins ${name(owner)} and ${name(plugin)} both claim ` +
              `${points[point].label} "${claimed}"`,
          );
        }
        owners.set(`${point}/${claimed}`, plugin);
      }
    }
  }
}
