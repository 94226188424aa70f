import Type from "typebox";
import { closed, patchOf } from "./field.ts";

/** A plugin and what became of it. */
export const Plugin = Type.Object({
  id: Type.String({ description: "Package name" }),
  version: Type.String(),
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
}, { ...closed, title: "Plugin", description: "A plugin and what became of it" });
/** See the schema of the same name. */
export type Plugin = Type.Static<typeof Plugin>;

/** Body that changes a plugin. */
export const PluginPatch = patchOf(
  Type.Object({
    enabled: Type.Boolean({ description: "False makes the plugin's contributions fail at once" }),
  }, closed),
  { title: "PluginPatch", description: "Changes of a plugin" },
);
/** See the schema of the same name. */
export type PluginPatch = Type.Static<typeof PluginPatch>;
