import { Buffer } from "node:buffer";
import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";

/** Bytes that stood packed within others. */
export interface Unpacked {
  /** How they were packed and where, such as `zstd at 120`. */
  readonly how: string;
  readonly bytes: Buffer;
}

const maxUnpackedBytes = 256 * 1024 * 1024;
// What is cut off or followed by something else still gives what it holds.
const lenient = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxUnpackedBytes };

const packings = [
  {
    name: "gzip",
    magic: Buffer.from([0x1f, 0x8b, 0x08]),
    // Read as what follows its head: the library refuses a gzip that something else follows.
    unpack: (bytes: Buffer) => inflateRawSync(bytes.subarray(gzipHeadBytes(bytes)), lenient),
  },
  {
    name: "zlib",
    magic: Buffer.from([0x78, 0x9c]),
    unpack: (bytes: Buffer) => inflateSync(bytes, lenient),
  },
  {
    name: "zstd",
    magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    unpack: (bytes: Buffer) =>
      zstdDecompressSync(bytes, {
        finishFlush: constants.ZSTD_e_flush,
        maxOutputLength: maxUnpackedBytes,
      }),
  },
];

/** Texts in which packed bytes are written down. */
const writings = [
  { name: "hex", encoding: "hex", run: /[0-9a-f]+/iy, heads: ["1f8b08", "28b52ffd"] },
  { name: "base64", encoding: "base64", run: /[A-Za-z0-9+/_-]+/y, heads: ["H4sI", "KLUv/"] },
] as const;

/** Finds compressed data in bytes, also where it is written in hex or base64, and unpacks it. */
export function unpack(bytes: Buffer): Unpacked[] {
  const found: Unpacked[] = [];
  for (const { name, magic, unpack } of packings) {
    for (const at of places(bytes, magic)) {
      try {
        const inner = unpack(bytes.subarray(at));
        if (inner.length > 0) found.push({ how: `${name} at ${at}`, bytes: inner });
      } catch {
        // It only looked like it.
      }
    }
  }
  for (const { name, encoding, run, heads } of writings) {
    for (const at of heads.flatMap((head) => [...places(bytes, Buffer.from(head))])) {
      const text = runFrom(bytes, at, run);
      const inner = Buffer.from(text, encoding);
      found.push(
        ...unpack(inner).map(({ how, bytes }) => ({
          how: `${name} at ${at}: ${how}`,
          bytes,
        })),
      );
    }
  }
  return found;
}

/** Length of the head of a gzip, which may hold a file name and more. */
function gzipHeadBytes(bytes: Buffer): number {
  const flags = bytes[3]!;
  let at = 10;
  if (flags & 4) at += 2 + bytes.readUInt16LE(at);
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1;
  return flags & 2 ? at + 2 : at;
}

function* places(bytes: Buffer, magic: Buffer): Generator<number> {
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) yield at;
}

/** The longest run of an alphabet from a place on. */
function runFrom(bytes: Buffer, at: number, run: RegExp): string {
  for (let length = 64 * 1024;; length *= 8) {
    const text = bytes.toString("latin1", at, at + length);
    run.lastIndex = 0;
    const [found = ""] = run.exec(text) ?? [];
    if (found.length < text.length || at + length >= bytes.length) return found;
  }
}
