import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { segmentFiles, segmentNumbers } from "./folder.ts";
import {
  createFileHeader,
  type EntryKind,
  fileHeaderBytes,
  type PayloadPlace,
  readMark,
  scanEntries,
  type SpoolEntry,
  writeEntry,
} from "./segment.ts";

/** How far a folder has been shipped: everything before it is in the database. */
export interface Mark {
  readonly segment: number;
  readonly offset: number;
}

interface Segment {
  readonly number: number;
  readonly rowFile: number;
  readonly sign: Buffer;
  rowBytes: number;
  payloadBytes: number;
  payloadFile: number | undefined;
}

/** The files of one process's spool. */
export type Segments = ReturnType<typeof createSegments>;

/**
 * Begins the first segment in an empty folder.
 *
 * @param segmentBytes size from which a new segment is begun
 */
export function createSegments(path: string, segmentBytes: number) {
  let current = begin(1);
  let mark: Mark = { segment: 1, offset: fileHeaderBytes };
  const markFile = openSync(join(path, "mark"), "w", 0o600);
  const past = new Map<number, { rowBytes: number; payloadBytes: number }>();
  let pastBytes = 0;

  return {
    segmentBytes,
    get current() {
      return current;
    },
    get mark() {
      return mark;
    },
    signOf: ({ sign }: Segment) => sign,
    bytes: () => pastBytes + current.rowBytes + current.payloadBytes,
    write(
      target: Buffer,
      at: number,
      kind: EntryKind,
      requestId: string,
      row: string,
      payload: PayloadPlace | undefined,
    ): number {
      return writeEntry(target, at, current.sign, kind, requestId, row, payload);
    },
    payloadFile(): number {
      return current.payloadFile ??= openSync(
        segmentFiles(path, current.number).payloads,
        "w",
        0o600,
      );
    },
    /** Goes on in new files; the ones before are synced and closed. */
    rotate(sync: (file: number) => Promise<void>): void {
      const next = begin(current.number + 1);
      const { number, rowBytes, payloadBytes } = current;
      past.set(number, { rowBytes, payloadBytes });
      pastBytes += rowBytes + payloadBytes;
      const done = current;
      void Promise.allSettled(filesOf(done).map(sync)).then(() => closeFiles(done));
      current = next;
    },
    /** The files that are written to now. */
    files: () => filesOf(current),
    /** Reads what stands behind the mark. */
    async read(limit: number, bytes: number): Promise<SegmentBatch | undefined> {
      for (;;) {
        const end = mark.segment === current.number
          ? current.rowBytes
          : past.get(mark.segment)?.rowBytes ?? 0;
        if (mark.offset < end) {
          const batch = await readSegment(path, mark, Math.min(end, mark.offset + bytes), limit);
          if (batch.entries.length > 0) return batch;
          if (mark.offset + bytes < end) {
            // One entry is larger than what was read.
            bytes *= 4;
            continue;
          }
        }
        if (mark.segment >= current.number) return undefined;
        mark = { segment: mark.segment + 1, offset: fileHeaderBytes };
      }
    },
    batch: (entries: readonly SpoolEntry[], next: Mark, segment: number) =>
      createBatch(path, entries, next, segment),
    advance(to: Mark, carryForward: (segment: number) => void): void {
      mark = to;
      keepMark(markFile, to);
      for (const [number, { rowBytes, payloadBytes }] of past) {
        if (number > to.segment || (number === to.segment && to.offset < rowBytes)) continue;
        carryForward(number);
        removeSegment(path, number);
        past.delete(number);
        pastBytes -= rowBytes + payloadBytes;
      }
    },
    dropOldestPayloads(isEnough: () => boolean): void {
      for (const [number, sizes] of past) {
        if (isEnough()) return;
        if (sizes.payloadBytes === 0) continue;
        rmSync(segmentFiles(path, number).payloads, { force: true });
        pastBytes -= sizes.payloadBytes;
        sizes.payloadBytes = 0;
      }
    },
    /** Whether nothing stands behind the mark. */
    isShipped: () =>
      past.size === 0 &&
      current.rowBytes <= (mark.segment === current.number ? mark.offset : fileHeaderBytes),
    close(): void {
      closeFiles(current);
      closeSync(markFile);
    },
  };

  function begin(number: number): Segment {
    const rowFile = openSync(segmentFiles(path, number).rows, "wx", 0o600);
    const header = createFileHeader();
    writeSync(rowFile, header, 0, header.length, 0);
    return {
      number,
      rowFile,
      sign: readMark(header)!,
      rowBytes: fileHeaderBytes,
      payloadBytes: 0,
      payloadFile: undefined,
    };
  }
}

/** Entries of a segment with a way to their payloads. */
export interface SegmentBatch {
  readonly entries: readonly SpoolEntry[];
  readonly mark: Mark;
  readonly bytes: number;
  readonly payload: (entry: SpoolEntry) => Promise<Buffer | undefined>;
}

/** Reads entries of one segment from `from` up to offset `end`. */
export async function readSegment(
  path: string,
  from: Mark,
  end: number,
  limit: number,
): Promise<SegmentBatch> {
  const file = await open(segmentFiles(path, from.segment).rows, "r");
  try {
    const sign = readMark(await readAt(file, 0, fileHeaderBytes));
    if (!sign) return createBatch(path, [], { segment: from.segment, offset: end }, from.segment);
    const bytes = await readAt(file, from.offset, end - from.offset);
    const { entries, next } = scanEntries(bytes, from.offset, sign, limit);
    return createBatch(path, entries, { segment: from.segment, offset: next }, from.segment);
  } finally {
    await file.close();
  }
}

function createBatch(
  path: string,
  entries: readonly SpoolEntry[],
  mark: Mark,
  segment: number,
): SegmentBatch {
  const places = entries.flatMap(({ payload }) => payload ?? []);
  const from = places[0]?.offset ?? 0;
  const last = places.at(-1);
  const length = last ? last.offset + last.length - from : 0;
  let whole: Promise<Buffer | undefined> | undefined;
  return {
    entries,
    mark,
    bytes: entries.reduce((sum, { row }) => sum + row.length, 0),
    async payload({ payload }) {
      if (!payload) return undefined;
      // Payloads of a batch lie side by side: read together, they cost one call.
      if (length > maxTogetherBytes) return await readPayload(path, segment, payload);
      const bytes = await (whole ??= readPayloads(path, segment, from, length));
      const own = bytes?.subarray(payload.offset - from, payload.offset - from + payload.length);
      return own && checked(own, payload);
    },
  };
}

const maxTogetherBytes = 16 * 1024 * 1024;

function checked(bytes: Buffer, { length, crc }: PayloadPlace): Buffer | undefined {
  return bytes.length === length && crc32(bytes) === crc ? bytes : undefined;
}

async function readPayload(
  path: string,
  segment: number,
  place: PayloadPlace,
): Promise<Buffer | undefined> {
  const bytes = await readPayloads(path, segment, place.offset, place.length);
  return bytes && checked(bytes, place);
}

async function readPayloads(
  path: string,
  segment: number,
  offset: number,
  length: number,
): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(segmentFiles(path, segment).payloads, "r");
    return await readAt(file, offset, length);
  } catch {
    return undefined;
  } finally {
    await file?.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function removeSegment(path: string, segment: number): void {
  const { rows, payloads } = segmentFiles(path, segment);
  rmSync(payloads, { force: true });
  rmSync(rows, { force: true });
}

function filesOf({ rowFile, payloadFile }: Segment): number[] {
  return payloadFile === undefined ? [rowFile] : [rowFile, payloadFile];
}

function closeFiles(segment: Segment): void {
  for (const file of filesOf(segment)) closeSync(file);
}

// Overwritten in place: a torn mark does not pass its checksum, and shipping begins anew, which inserts nothing twice.
function keepMark(file: number, { segment, offset }: Mark): void {
  const text = `${String(segment).padStart(12)} ${String(offset).padStart(15)} `;
  try {
    writeSync(file, `${text}${String(crc32(text)).padStart(10)}\n`, 0);
  } catch {
    // The mark saves work after a restart and nothing else.
  }
}

/** The mark a process left; the folder's beginning when it left none. */
export function readKeptMark(path: string): Mark {
  const first = { segment: segmentNumbers(path)[0] ?? 1, offset: fileHeaderBytes };
  try {
    const text = readFileSync(join(path, "mark"), "utf8");
    const [segment, offset, crc] = text.trim().split(/ +/).map(Number);
    if (crc32(text.slice(0, 29)) !== crc || segment! < first.segment) return first;
    return { segment: segment!, offset: offset! };
  } catch {
    return first;
  }
}

/** Size of a segment's row file. */
export function rowBytesOf(path: string, segment: number): number {
  return statSync(segmentFiles(path, segment).rows).size;
}
