import type { Encryption } from "../contract/index.ts";
import type { Snapshot } from "../store/snapshot.ts";
import {
  type Configuration,
  type JsonSchema,
  secretPaths,
  valueAt,
  withValueAt,
} from "./configuration-schema.ts";

/** Settings as they are stored and as the plugin gets them. */
export interface StoredSettings {
  /** The value of every secret is a sealed text. */
  readonly sealed: Configuration;
  readonly opened: Configuration;
}

/**
 * Opens the stored settings of a plugin: what its schema declares secret is sealed in the snapshot, bound to the
 * plugin and the member. Answers undefined when nothing is stored. Rejects when a secret cannot be opened.
 */
export async function openStoredSettings(
  snapshot: Snapshot,
  pluginId: string,
  schema: JsonSchema,
  encryption: () => Promise<Encryption>,
): Promise<StoredSettings | undefined> {
  const sealed: Configuration | undefined = snapshot.plugins.get(pluginId)?.settings;
  if (sealed === undefined) return undefined;
  let opened = sealed;
  for (const field of secretPaths(schema, sealed)) {
    const value = valueAt(sealed, field);
    if (typeof value !== "string") continue;
    const plain = await (await encryption()).open(value, settingContext(pluginId, field));
    opened = withValueAt(opened, field, Buffer.from(plain).toString("utf8"));
  }
  return { sealed, opened };
}

/** What a secret setting is bound to: it opens nowhere else. */
export function settingContext(pluginId: string, field: string) {
  return { environment: "installation", owner: pluginId, field };
}
