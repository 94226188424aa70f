import { promisify } from "node:util";
import { constants, zstdCompress, zstdCompressSync, zstdDecompress } from "node:zlib";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
// Setting up a compression costs more than it saves on less; what the database keeps apart, it compresses itself.
const minBytes = 4 * 1024;
// Handing a few kilobytes to another thread costs more than compressing them.
const threadBytes = 32 * 1024;
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** How a payload's bytes are written. */
export type PayloadEncoding = "json" | "zstd";

/** Compresses a document, a large one off the event loop; a small one stays as it is. */
export async function encodePayload(
  text: string,
): Promise<{ encoding: PayloadEncoding; bytes: Buffer }> {
  const bytes = Buffer.from(text);
  if (bytes.length < minBytes) return { encoding: "json", bytes };
  const packed = bytes.length < threadBytes
    ? zstdCompressSync(bytes, options)
    : await compress(bytes, options);
  return { encoding: "zstd", bytes: packed };
}

/** Reads a stored document. */
export async function decodePayload(encoding: string, bytes: Uint8Array): Promise<unknown> {
  const text = encoding === "zstd" ? await decompress(bytes) : Buffer.from(bytes);
  return JSON.parse(text.toString("utf8")) as unknown;
}
