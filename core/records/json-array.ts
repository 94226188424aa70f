const comma = 0x2c;

/** A JSON array of texts that are JSON already, as bytes: a text of megabytes would be garbage of its own kind. */
export function jsonArray(items: readonly Uint8Array[]): Buffer {
  const length = items.reduce((sum, item) => sum + item.length + 1, 1);
  const bytes = Buffer.allocUnsafe(Math.max(2, length));
  bytes.write("[");
  let at = 1;
  for (const item of items) {
    bytes.set(item, at);
    at += item.length;
    bytes[at++] = comma;
  }
  bytes.write("]", Math.max(1, at - 1));
  return bytes;
}
