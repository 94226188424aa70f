import { isDeepStrictEqual } from "node:util";
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
  /** The opened secrets, to be kept out of what is said and written. */
  readonly secrets: readonly string[];
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
  const secrets: string[] = [];
  for (const field of secretPaths(schema, sealed)) {
    const value = valueAt(sealed, field);
    if (typeof value !== "string") continue;
    const plain = await (await encryption()).open(value, settingContext(pluginId, field));
    const text = Buffer.from(plain).toString("utf8");
    secrets.push(text);
    opened = withValueAt(opened, field, text);
  }
  return { sealed, opened, secrets };
}

/**
 * Whether two stored settings are the same to the plugin: a secret that was sealed anew, under another key or by being
 * entered again, is the same secret. What cannot be opened is the same only as long as its sealed text is.
 */
export async function isSameSettings(
  pluginId: string,
  schema: JsonSchema,
  [one, other]: readonly [Configuration, Configuration],
  encryption: () => Promise<Encryption>,
): Promise<boolean> {
  let aligned = one;
  for (const field of secretPaths(schema, other)) {
    const [before, now] = [valueAt(one, field), valueAt(other, field)];
    if (before === now || typeof before !== "string" || typeof now !== "string") continue;
    const context = settingContext(pluginId, field);
    const backends = await encryption();
    const texts = await Promise.all([before, now].map((sealed) => backends.open(sealed, context)))
      .catch(() => undefined);
    if (!texts || !Buffer.from(texts[0]!).equals(texts[1]!)) return false;
    aligned = withValueAt(aligned, field, now);
  }
  return isDeepStrictEqual(aligned, other);
}

/** What a secret setting is bound to: it opens nowhere else. */
export function settingContext(pluginId: string, field: string) {
  return { environment: "installation", owner: pluginId, field };
}
