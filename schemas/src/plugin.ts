import Type from "typebox";
import { AnyObject, closed, nullable, patchOf } from "./field.ts";

/** A plugin and what became of it. */
export const Plugin = Type.Object({
  id: Type.String({ description: "Package name" }),
  version: Type.String({ description: "Version of the package" }),
  description: Type.String(),
  source: Type.Enum(["builtin", "dependency", "folder"]),
  enabled: Type.Boolean(),
  contributes: Type.Array(Type.Object({
    point: Type.String(),
    id: Type.String(),
    label: Type.String(),
  }, closed)),
  outcome: Type.Object({
    state: Type.Enum(["idle", "active", "disabled", "failed"]),
    stage: Type.Optional(Type.Enum(["manifest", "load", "activate"])),
    error: Type.Optional(Type.String()),
    ms: Type.Optional(Type.Number({ description: "Milliseconds the activation took" })),
  }, closed),
  settingsVersion: Type.Integer({
    minimum: 0,
    description: "Grows with each change of the switch or the settings; the value of the ETag",
  }),
  settingsSchema: nullable(AnyObject),
  settings: nullable(Type.Unsafe<Record<string, unknown>>({
    ...AnyObject,
    description: "Stored settings, secrets masked; null when the plugin has none",
  })),
  settingsFixed: Type.Record(Type.String(), Type.String(), {
    description:
      "Settings an environment variable decides, with its name: stored values of them wait",
  }),
  settingsPending: Type.Boolean({
    description: "Whether the plugin runs with older settings and takes these at the next start",
  }),
}, { ...closed, title: "Plugin", description: "A plugin and what became of it" });
/** See the schema of the same name. */
export type Plugin = Type.Static<typeof Plugin>;

/** Body that changes a plugin. */
export const PluginPatch = patchOf(
  Type.Object({
    enabled: Type.Boolean({ description: "False makes the plugin's contributions fail at once" }),
    settings: Type.Unsafe<Record<string, unknown>>({
      ...AnyObject,
      description:
        "Merged into the stored settings; a secret that is absent or only asterisks stays",
    }),
  }, closed),
  { title: "PluginPatch", description: "Changes of a plugin" },
);
/** See the schema of the same name. */
export type PluginPatch = Type.Static<typeof PluginPatch>;
