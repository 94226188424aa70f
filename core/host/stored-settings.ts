import type { Encryption } from "../contract/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import {
  type Configuration,
  type JsonSchema,
  secretPaths,
  valueAt,
  withValueAt,
} from "./configuration-schema.ts";

/**
 * Opens the stored settings of a plugin: what its schema declares secret is sealed in the snapshot, bound to the
 * plugin and the member. Answers undefined when nothing is stored. Rejects when a secret cannot be opened.
 */
export async function openStoredSettings(
  snapshot: Snapshot,
  pluginId: string,
  schema: JsonSchema,
  encryption: () => Promise<Encryption>,
): Promise<Configuration | undefined> {
  let settings: Configuration | undefined = snapshot.plugins.get(pluginId)?.settings;
  if (settings === undefined) return undefined;
  for (const field of secretPaths(schema, settings)) {
    const sealed = valueAt(settings, field);
    if (typeof sealed !== "string") continue;
    const context = { environment: "installation", owner: pluginId, field };
    const plain = await (await encryption()).open(sealed, context);
    settings = withValueAt(settings, field, Buffer.from(plain).toString("utf8"));
  }
  return settings;
}
