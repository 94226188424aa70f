import { type ContributionPoint, GatewayError } from "../contract/index.ts";
import { Secret } from "../kit/secret.ts";
import {
  activatePlugin,
  type Activation,
  type Surroundings,
  withinTime,
} from "./activate-plugin.ts";
import type { Configuration } from "./configuration-schema.ts";
import { loadPlugin } from "./load-plugin.ts";
import type { RegisteredPlugin } from "./manifest.ts";
import type { PluginOutcome } from "./plugin-host.ts";

/** The life of one plugin: activated at most once, on first need. */
export interface PluginSlot {
  readonly plugin: RegisteredPlugin;
  outcome(): PluginOutcome;
  /** Activates the plugin unless that has happened. Rejects with `unknown_error` naming plugin and stage. */
  activate(): Promise<void>;
  /** What the plugin provided, once it is active. */
  implementation(point: ContributionPoint, id: string): unknown;
  setEnabled(enabled: boolean): void;
  dispose(): Promise<void>;
}

/** Limits of a plugin's start and end, in milliseconds. */
export interface PluginLimits {
  readonly activateMs: number;
  readonly disposeMs: number;
}

/** Makes the slot of a registered plugin. `settings` is asked when the plugin is activated. */
export function createPluginSlot(
  plugin: RegisteredPlugin,
  settings: () => Promise<Configuration>,
  surroundings: Surroundings,
  limits: PluginLimits,
  onActive: () => void,
): PluginSlot {
  const { clock, log } = surroundings;
  let outcome: PluginOutcome = { state: "idle" };
  let enabled = true;
  let started: Promise<void> | undefined;
  let activation: Activation | undefined;

  async function start(): Promise<void> {
    const from = clock.monotonic();
    const elapsed = () => Math.round(clock.monotonic() - from);
    let stage: "load" | "activate" = "load";
    let config: Configuration = {};
    let abandoned = false;
    const run = async () => {
      const definition = await loadPlugin(plugin);
      if (abandoned) return;
      stage = "activate";
      config = await settings();
      if (abandoned) return;
      activation = activatePlugin(plugin, definition, config, surroundings);
      await activation.done;
    };
    try {
      await withinTime(run(), limits.activateMs);
      outcome = { state: "active", activatedInMs: elapsed() };
      onActive();
      log.debug("Plugin activated", { plugin: plugin.id, ms: elapsed() });
    } catch (cause) {
      abandoned = true;
      const reason = withoutSecrets(cause instanceof Error ? cause.message : String(cause), config);
      outcome = { state: "failed", stage, error: reason, ms: elapsed() };
      log.error(`Cannot ${stage} plugin "${plugin.id}": ${reason}`, { ms: elapsed() });
      throw new GatewayError(
        "unknown_error",
        `Cannot ${stage} plugin "${plugin.id}": ${reason}`,
        { cause },
      );
    } finally {
      activation?.close();
      if (outcome.state === "failed") await activation?.dispose(limits.disposeMs);
    }
  }

  return {
    plugin,
    outcome: () => enabled ? outcome : { state: "disabled" },
    activate() {
      if (!enabled) {
        const message = `Cannot activate plugin "${plugin.id}": it is disabled`;
        return Promise.reject(new GatewayError("unknown_error", message));
      }
      started ??= start();
      return started;
    },
    implementation(point, id) {
      if (!enabled || outcome.state !== "active") return undefined;
      return activation?.implementation(point, id);
    },
    setEnabled(next) {
      // Switching a failed plugin off and on gives it another try.
      if (next && !enabled && outcome.state === "failed") {
        outcome = { state: "idle" };
        started = undefined;
        activation = undefined;
      }
      enabled = next;
    },
    async dispose() {
      if (started && outcome.state === "idle") {
        await withinTime(started, limits.disposeMs).catch(() => {});
      }
      await activation?.dispose(limits.disposeMs);
    },
  };
}

/** A plugin's error text may repeat its settings. */
function withoutSecrets(text: string, config: unknown): string {
  if (config instanceof Secret) return text.replaceAll(config.reveal(), "[secret]");
  if (typeof config !== "object" || config === null) return text;
  return Object.values(config).reduce<string>(withoutSecrets, text);
}
