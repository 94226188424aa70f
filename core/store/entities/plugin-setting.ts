import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { tracked } from "./tracked.ts";

/** Whether a plugin is enabled and what it is set to. A plugin without a row is enabled with defaults. */
export const PluginSetting = defineEntity({
  name: "PluginSetting",
  tableName: "plugin_settings",
  properties: {
    pluginId: p.string().primary(),
    enabled: p.boolean().onCreate(() => true),
    /** The value of every secret setting is a sealed text. */
    settings: p.json<Record<string, unknown>>().onCreate(() => ({})),
    ...tracked,
  },
});
export type PluginSetting = InferEntity<typeof PluginSetting>;
