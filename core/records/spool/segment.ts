import { randomFillSync } from "node:crypto";
import { crc32 } from "node:zlib";

/** A request began (`row` is what is left of it if the process dies), or it ended. */
export type EntryKind = "started" | "finished";

/** Where an entry's payload stands in the segment's payload file. */
export interface PayloadPlace {
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

/** One entry as it was read. */
export interface SpoolEntry {
  readonly kind: EntryKind;
  readonly requestId: string;
  /** The audit row as JSON text. */
  readonly row: Buffer;
  readonly payload: PayloadPlace | undefined;
  /** Offset behind the entry in its file. */
  readonly end: number;
}

/** Bytes before the first entry of a file. */
export const fileHeaderBytes = 16;

const magic = Buffer.from("VMXSPOL1");
const headerBytes = 72;
const idBytes = 36;

/**
 * The first bytes of a row file. They end with a random mark that begins every entry: a damaged place is skipped by
 * searching for the next mark, and no text of a caller can pass for one.
 */
export function createFileHeader(): Buffer {
  const header = Buffer.alloc(fileHeaderBytes);
  magic.copy(header);
  return randomFillSync(header, magic.length);
}

/** Bytes an entry takes at most. */
export function entryBound(json: string): number {
  return headerBytes + json.length * 3;
}

/** Writes an entry into `target` at `at` and answers the offset behind it. */
export function writeEntry(
  target: Buffer,
  at: number,
  mark: Buffer,
  kind: EntryKind,
  requestId: string,
  json: string,
  payload?: PayloadPlace,
): number {
  const rowBytes = target.write(json, at + headerBytes, "utf8");
  mark.copy(target, at);
  target.writeUInt32LE(kind === "started" ? 1 : 2, at + 12);
  target.writeUInt32LE(rowBytes, at + 16);
  target.writeUInt32LE(payload?.length ?? 0, at + 20);
  target.writeUInt32LE(payload?.crc ?? 0, at + 24);
  target.writeUIntLE(payload?.offset ?? 0, at + 28, 6);
  target.writeUInt16LE(0, at + 34);
  target.write(requestId, at + 36, idBytes, "latin1");
  const end = at + headerBytes + rowBytes;
  target.writeUInt32LE(crc32(target.subarray(at + 12, end)), at + 8);
  return end;
}

/** The mark of a file from its header; undefined when the header is not whole. */
export function readMark(header: Buffer): Buffer | undefined {
  if (header.length < fileHeaderBytes || !header.subarray(0, magic.length).equals(magic)) return;
  return header.subarray(magic.length, fileHeaderBytes);
}

/** Entries of a stretch of a row file. */
export interface Scan {
  readonly entries: readonly SpoolEntry[];
  /** Offset from which to go on: behind the last entry, or where one begins that is not whole yet. */
  readonly next: number;
}

/**
 * Reads the entries in `bytes`, which stand at `offset` of their file; torn and damaged ones are skipped.
 *
 * @param limit how many entries are read at most
 */
export function scanEntries(bytes: Buffer, offset: number, mark: Buffer, limit: number): Scan {
  const entries: SpoolEntry[] = [];
  let at = 0;
  while (entries.length < limit) {
    const found = bytes.indexOf(mark, at);
    // The mark itself may be cut at the end of the stretch.
    if (found < 0) return { entries, next: offset + Math.max(at, bytes.length - mark.length + 1) };
    if (bytes.length - found < headerBytes) return { entries, next: offset + found };
    const rowBytes = bytes.readUInt32LE(found + 16);
    const end = found + headerBytes + rowBytes;
    if (end > bytes.length) {
      // Not whole yet, or its length is damaged: then another mark follows.
      const after = bytes.indexOf(mark, found + 1);
      if (after < 0) return { entries, next: offset + found };
      at = after;
      continue;
    }
    if (crc32(bytes.subarray(found + 12, end)) !== bytes.readUInt32LE(found + 8)) {
      at = found + 1;
      continue;
    }
    const payloadBytes = bytes.readUInt32LE(found + 20);
    entries.push({
      kind: bytes.readUInt32LE(found + 12) === 1 ? "started" : "finished",
      requestId: bytes.toString("latin1", found + 36, found + headerBytes),
      row: bytes.subarray(found + headerBytes, end),
      payload: payloadBytes === 0 ? undefined : {
        length: payloadBytes,
        crc: bytes.readUInt32LE(found + 24),
        offset: bytes.readUIntLE(found + 28, 6),
      },
      end: offset + end,
    });
    at = end;
  }
  return { entries, next: offset + at };
}
