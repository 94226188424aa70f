import type { Log } from "../contract/index.ts";
import type { SnapshotLoader } from "../store/loader.ts";
import type { Snapshot } from "../store/snapshot.ts";
import type { PluginHost } from "./plugin-host.ts";

/** Plugins the gateway cannot run without, by name, each with what it is needed for. */
export type RequiredPlugins = ReadonlyMap<string, string>;

/**
 * Switches plugins on and off as the configuration says, now and with every change of it, whichever process made the
 * change. A failed plugin whose settings change gets another try; an active one takes them at the next start. A required plugin stays on: a row that says otherwise is older than the choice that made it required.
 */
export function followSwitches(
  host: Pick<PluginHost, "plugins" | "setEnabled">,
  loader: Pick<SnapshotLoader, "current" | "onChange">,
  required: RequiredPlugins,
  log: Log,
): void {
  const warned = new Set<string>();
  let before: Snapshot["plugins"] = loader.current().plugins;

  function apply(snapshot: Snapshot): void {
    for (const { id, outcome } of host.plugins()) {
      // What has no readable manifest cannot be switched.
      if (outcome.state === "failed" && outcome.stage === "manifest") continue;
      let enabled = snapshot.plugins.get(id)?.enabled ?? true;
      const purpose = required.get(id);
      if (!enabled && purpose !== undefined) {
        enabled = true;
        if (!warned.has(id)) {
          log.warn(`Plugin "${id}" stays on although it is switched off: ${purpose}`);
        }
        warned.add(id);
      }
      const { settings } = snapshot.plugins.get(id) ?? {};
      const isResettled = JSON.stringify(settings) !== JSON.stringify(before.get(id)?.settings);
      if (isResettled && enabled && outcome.state === "failed") {
        // Off and on again gives it another try, with the new settings.
        host.setEnabled(id, false);
        host.setEnabled(id, true);
        log.info(`Plugin "${id}" has new settings and may try again`);
        continue;
      }
      if (enabled === (outcome.state !== "disabled")) continue;
      host.setEnabled(id, enabled);
      log.info(`Plugin "${id}" is switched ${enabled ? "on" : "off"}`);
    }
    before = snapshot.plugins;
  }

  apply(loader.current());
  loader.onChange(apply);
}

/** The plugins behind contributions of which one is chosen for the whole gateway. */
export function requiredPlugins(
  host: Pick<PluginHost, "find">,
  chosen: {
    readonly capacityStores: string;
    readonly encryptions: string;
    readonly sharedStates: string;
  },
): RequiredPlugins {
  const purposes = {
    capacityStores: "limits are counted in its capacity store",
    encryptions: "secrets are sealed with its encryption backend",
    sharedStates: "the gateway keeps shared state in it",
  } as const;
  const required = new Map<string, string>();
  for (const point of ["capacityStores", "encryptions", "sharedStates"] as const) {
    const found = host.find(point, chosen[point]);
    if (found) required.set(found.pluginId, `${purposes[point]} "${found.id}"`);
  }
  return required;
}
