import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const minBytes = 512;
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** How a payload's bytes are written. */
export type PayloadEncoding = "json" | "zstd";

/** Compresses a document off the event loop; a small one stays as it is. */
export async function encodePayload(
  text: string,
): Promise<{ encoding: PayloadEncoding; bytes: Buffer }> {
  const bytes = Buffer.from(text);
  if (bytes.length < minBytes) return { encoding: "json", bytes };
  return { encoding: "zstd", bytes: await compress(bytes, options) };
}

/** Reads a stored document. */
export async function decodePayload(encoding: string, bytes: Uint8Array): Promise<unknown> {
  const text = encoding === "zstd" ? await decompress(bytes) : Buffer.from(bytes);
  return JSON.parse(text.toString("utf8")) as unknown;
}
