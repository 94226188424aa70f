import {
  compileConfiguration,
  type Configuration,
  type JsonSchema,
  withSecrets,
} from "./configuration-schema.ts";
import { faultSentence } from "./faults.ts";
import type { RegisteredPlugin } from "./manifest.ts";

/**
 * A plugin's settings: stored values, over them those of environment variables the manifest names, then the
 * schema's defaults; secret texts become `Secret` values. Throws an Error that names settings and variables at
 * fault, never their values.
 */
export function pluginSettings(
  plugin: RegisteredPlugin,
  environment: Readonly<Record<string, string | undefined>>,
  stored: Configuration = {},
): Configuration {
  const schema = plugin.settingsSchema;
  if (!schema) return {};
  const settings: Record<string, unknown> = { ...stored };
  const variables = plugin.manifest.contributes.settings?.environment ?? {};
  for (const [variable, name] of Object.entries(variables)) {
    const text = environment[variable];
    if (text !== undefined && text !== "") settings[name] = parse(text, memberType(schema, name));
  }
  const compiled = compileConfiguration(schema);
  const faults = compiled.check(settings);
  if (faults.length > 0) {
    const named = Object.entries(variables)
      .filter(([, name]) => faults.some(({ path }) => path.split("/")[1] === name))
      .map(([variable]) => variable);
    const origin = named.length > 0 ? ` (set by ${named.join(", ")})` : "";
    throw new Error(`setting ${faultSentence(faults)}${origin}`);
  }
  return Object.freeze(withSecrets(schema, compiled.complete(settings)));
}

function memberType(schema: JsonSchema, name: string): unknown {
  const properties = schema.properties as Record<string, { type?: unknown }> | undefined;
  return properties?.[name]?.type;
}

/** Reads a variable as its setting's type; what does not fit is left for the schema to refuse. */
function parse(text: string, type: unknown): unknown {
  if (type === "integer" || type === "number") {
    return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
  }
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (type === "array") return text.split(",").map((item) => item.trim()).filter(Boolean);
  return text;
}
