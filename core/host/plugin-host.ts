import type { ProviderPrice } from "@vmx/schemas";
import type { ContributionPoint, ContributionPoints } from "../contract/index.ts";

/** The plugin host as the rest of core sees it. */
export interface PluginHost {
  /** Every plugin found, in order of discovery, with its outcome. */
  plugins(): readonly PluginStatus[];
  /** What all plugins announce for a point, in order of discovery; nothing is imported for this. */
  contributions<Point extends ContributionPoint>(point: Point): readonly Contribution[];
  /** The contribution of that id or alias, or undefined. */
  find(point: ContributionPoint, idOrAlias: string): Contribution | undefined;
  /**
   * The implementation, activating its plugin when that has not happened yet.
   * Throws `PLUGIN_NOT_FOUND` for an unknown id, `connection_disabled` (providers) or `operation_not_supported` when
   * the plugin is switched off, and `unknown_error` with the cause when activation failed.
   */
  get<Point extends ContributionPoint>(
    point: Point,
    id: string,
  ): Promise<ContributionPoints[Point]>;
  /** The implementation if its plugin is active already. */
  active<Point extends ContributionPoint>(
    point: Point,
    id: string,
  ): ContributionPoints[Point] | undefined;
  /** Switches a plugin on or off at run time; a disabled plugin's contributions fail at once. */
  setEnabled(pluginId: string, enabled: boolean): void;
  /** Environment variables the manifests name: settings, first-run objects, selections. */
  variables(): readonly string[];
  /** Disposes of all active plugins in reverse order of activation. */
  dispose(): Promise<void>;
}

/** One announced contribution. */
export interface Contribution {
  readonly point: ContributionPoint;
  readonly id: string;
  readonly aliases: readonly string[];
  readonly label: string;
  readonly pluginId: string;
  readonly pluginVersion: string;
  /** The manifest's entry as written, validated. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** JSON Schema of the contribution's configuration (a provider's connection configuration). */
  readonly configuration: Readonly<Record<string, unknown>> | undefined;
  /** What the models of a provider cost, as far as its plugin knows. */
  readonly prices?: readonly ProviderPrice[];
  /** Its logo as a data URL. */
  readonly logoUrl?: string;
}

/** A plugin and what became of it. */
export interface PluginStatus {
  /** Package name. */
  readonly id: string;
  readonly version: string;
  readonly description: string;
  readonly source: "builtin" | "dependency" | "folder";
  readonly contributes: readonly {
    readonly point: ContributionPoint;
    readonly id: string;
    readonly label: string;
  }[];
  readonly outcome: PluginOutcome;
  /** What can be set; undefined when the plugin has no settings. */
  readonly settings?: PluginSettingsStatus | undefined;
}

/** The settings of a plugin, as far as the host knows them. */
export interface PluginSettingsStatus {
  /** JSON Schema of the settings. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Variables of the environment that are set and win over stored values, by the setting they fill. */
  readonly fixed: Readonly<Record<string, string>>;
  /** The stored settings, secrets sealed, that the plugin was activated with; undefined before that. */
  readonly activeWith: Readonly<Record<string, unknown>> | undefined;
}

/** See `PluginStatus.outcome`. */
export type PluginOutcome =
  | { readonly state: "idle" }
  | { readonly state: "active"; readonly activatedInMs: number }
  | { readonly state: "disabled" }
  | {
    readonly state: "failed";
    readonly stage: "manifest" | "load" | "activate";
    readonly error: string;
    readonly ms: number;
  };
