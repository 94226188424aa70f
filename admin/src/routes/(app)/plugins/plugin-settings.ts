import type { Plugin } from "@vmx/sdk";
import { isSchema, resolveReference, type Schema } from "#lib/schema-form/schema.ts";

/** A setting the environment decides. */
export interface FixedSetting {
  readonly name: string;
  readonly label: string;
  /** The environment variable that has the say. */
  readonly variable: string;
}

/** What there is to set on a plugin, and what is set elsewhere. */
export interface PluginSettings {
  /** The schema without what the environment decides. */
  readonly schema: Schema;
  readonly fixed: readonly FixedSetting[];
  /** Why nothing can be stored; undefined when it can. */
  readonly refused?: string;
}

/** Tells what can be set on a plugin; undefined when it has no settings. */
export function settingsOf(
  { contributes, settingsFixed, settingsSchema }: Pick<
    Plugin,
    "contributes" | "settingsFixed" | "settingsSchema"
  >,
): PluginSettings | undefined {
  if (!settingsSchema) return undefined;
  const top = resolveReference(settingsSchema, settingsSchema);
  const properties = isSchema(top["properties"]) ? top["properties"] : {};
  const free = Object.entries(properties).filter(([name]) => !Object.hasOwn(settingsFixed, name));
  const required = Array.isArray(top["required"]) ? top["required"] as string[] : [];
  return {
    schema: {
      ...settingsSchema,
      ...top,
      properties: Object.fromEntries(free),
      required: required.filter((name) => !Object.hasOwn(settingsFixed, name)),
    },
    fixed: Object.entries(settingsFixed).map(([name, variable]) => {
      const property = properties[name];
      const title = isSchema(property) ? property["title"] : undefined;
      return { name, label: typeof title === "string" ? title : name, variable: String(variable) };
    }),
    ...(contributes.some(({ point }) => point === "encryptions")
      ? {
        refused:
          "What seals secrets cannot keep its own settings: environment variables alone set them.",
      }
      : {}),
  };
}
