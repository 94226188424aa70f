/** KMS keys by version: ID, ARN or alias. */
export type KmsKeys = ReadonlyMap<number, string>;

/**
 * Reads one key, which is version 1, or `1:<key>,2:<key>`. Throws an Error that names the entry at fault.
 *
 * @param source what the text is called in messages, such as `AWS_KMS_KEY_ID`
 */
export function parseKeys(text: string, source: string): KmsKeys {
  const entries = text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  if (entries.length === 0) throw new Error(`Cannot read ${source}: it is empty`);
  const keys = new Map<number, string>();
  for (const [at, entry] of entries.entries()) {
    const versioned = /^([1-9][0-9]{0,8}):(.+)$/.exec(entry);
    const isLonely = versioned === null && entries.length === 1;
    if (!versioned && !isLonely) {
      throw new Error(
        `Cannot read ${source}: entry ${at + 1} does not begin with a version and ":"`,
      );
    }
    const version = Number(versioned?.[1] ?? 1);
    const key = versioned?.[2] ?? entry;
    if (keys.has(version)) {
      throw new Error(`Cannot read ${source}: version ${version} appears twice`);
    }
    if ([...keys.values()].includes(key)) {
      throw new Error(`Cannot read ${source}: version ${version} has the key of another version`);
    }
    keys.set(version, key);
  }
  return keys;
}
