/** Keys by version; each has 32 bytes. */
export type KeyRing = ReadonlyMap<number, Uint8Array>;

/** Bytes of a key. */
export const keyBytes = 32;

/** Different byte values a key must have; 32 random bytes have fewer once in 10^20 keys. */
const leastDistinctBytes = 12;

/**
 * Reads `1:<base64 of 32 bytes>,2:...`, separated by commas or line ends.
 * Throws an Error that names the version at fault and never the value.
 *
 * @param source what the text is called in messages, such as `VMX_ENCRYPTION_KEYS`
 */
export function parseKeyRing(text: string, source: string): KeyRing {
  const ring = new Map<number, Uint8Array>();
  const entries = text.split(/[,\n]/).map((entry) => entry.trim()).filter((entry) => entry !== "");
  if (entries.length === 0) throw new Error(`Cannot read ${source}: it is empty`);
  for (const [at, entry] of entries.entries()) {
    const border = entry.indexOf(":");
    const name = entry.slice(0, Math.max(border, 0));
    if (!/^[1-9][0-9]{0,8}$/.test(name)) {
      throw new Error(
        `Cannot read ${source}: entry ${at + 1} does not begin with a version and ":"`,
      );
    }
    const version = Number(name);
    if (ring.has(version)) {
      throw new Error(`Cannot read ${source}: version ${version} appears twice`);
    }
    const key = parseKey(entry.slice(border + 1), `${source} version ${version}`);
    for (const [other, known] of ring) {
      if (Buffer.compare(known, key) === 0) {
        throw new Error(
          `Cannot read ${source}: versions ${other} and ${version} have the same key`,
        );
      }
    }
    ring.set(version, key);
  }
  return ring;
}

/** Reads one key in base64 or base64url. Throws an Error that never shows the value. */
export function parseKey(text: string, source: string): Uint8Array {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(trimmed)) {
    throw new Error(`Cannot read ${source}: the key is not base64`);
  }
  const key = new Uint8Array(Buffer.from(trimmed, "base64"));
  if (key.length !== keyBytes) {
    throw new Error(`Cannot read ${source}: the key has ${key.length} bytes, not ${keyBytes}`);
  }
  if (new Set(key).size < leastDistinctBytes) {
    throw new Error(`Cannot read ${source}: the key is not random`);
  }
  return key;
}
