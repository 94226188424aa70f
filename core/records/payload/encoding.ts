import { promisify } from "node:util";
import {
  constants,
  gunzip,
  gzipSync,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
} from "node:zlib";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const inflate = promisify(gunzip);
const minBytes = 1024;
// Below it setting up a zstd compression costs more than all of a gzip with little memory.
const zstdBytes = 8 * 1024;
// Handing a few kilobytes to another thread costs more than compressing them.
const threadBytes = 32 * 1024;
const zstd = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const gzip = { level: 1, memLevel: 5, windowBits: 13 };

/** How a payload's bytes are written. */
export type PayloadEncoding = "json" | "gzip" | "zstd";

/** Compresses a document, a large one off the event loop; a small one stays as it is. */
export async function encodePayload(
  text: string,
): Promise<{ encoding: PayloadEncoding; bytes: Buffer }> {
  const bytes = Buffer.from(text);
  if (bytes.length < minBytes) return { encoding: "json", bytes };
  if (bytes.length < zstdBytes) {
    return { encoding: "gzip", bytes: gzipSync(bytes, gzip) };
  }
  const packed = bytes.length < threadBytes
    ? zstdCompressSync(bytes, zstd)
    : await compress(bytes, zstd);
  return { encoding: "zstd", bytes: packed };
}

/**
 * Reads a stored document.
 *
 * Throws for bytes that are not what their encoding says.
 */
export async function decodePayload(encoding: string, bytes: Uint8Array): Promise<unknown> {
  const text = encoding === "zstd"
    ? await decompress(bytes)
    : encoding === "gzip"
    ? await inflate(bytes)
    : Buffer.from(bytes);
  return JSON.parse(text.toString("utf8")) as unknown;
}
