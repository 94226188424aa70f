import { fdatasync, writeSync, writevSync } from "node:fs";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import type { Clock, Log } from "../../contract/index.ts";
import { createSpoolFolder } from "./folder.ts";
import { createSegments, type Mark } from "./segments.ts";
import { entryBound, type EntryKind, type PayloadPlace, scanEntries } from "./segment.ts";
import type { SpoolEntry } from "./segment.ts";

/** What a spool is made with. */
export interface SpoolOptions {
  /** Folder of all spools of the installation. */
  readonly root: string;
  readonly maxBytes: number;
  /** What happens to requests whose rows find no place. */
  readonly whenFull: "serve" | "refuse";
  readonly log: Log;
  readonly clock: Clock;
  /** Replaced by tests that let the disk fail. */
  readonly disk?: Disk;
}

/** The system calls that write and sync. */
export interface Disk {
  write(file: number, bytes: Buffer, from: number, length: number, position: number): number;
  writev(file: number, buffers: readonly Buffer[], position: number): number;
  sync(file: number): Promise<void>;
}

const systemDisk: Disk = { write: writeSync, writev: writevSync, sync: promisify(fdatasync) };

/** How full the spool is. */
export interface SpoolState {
  /** Bytes on disk and, when the disk refuses them, in memory. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** `high` takes no payloads any more, `full` no rows. */
  readonly pressure: "none" | "high" | "full";
  /** False while the disk refuses to be written to. */
  readonly writable: boolean;
  /** Unix milliseconds of the oldest record that is not in the database; undefined when there is none. */
  readonly oldestAt: number | undefined;
  /** Records that found no place. */
  readonly lost: number;
}

/** Entries read for shipping, and the mark behind them. */
export interface SpoolBatch {
  readonly entries: readonly SpoolEntry[];
  readonly payload: (entry: SpoolEntry) => Promise<Buffer | undefined>;
  readonly mark: Mark;
  /** Bytes of rows that were read. */
  readonly bytes: number;
}

/** The append-only record of this process's requests on the local disk. */
export interface Spool {
  readonly path: string;
  /** Whether a request's record will find a place; false only where the policy is to refuse. */
  mayStart(): boolean;
  /** Notes that a request begins. Resolves when the note would survive the end of the process. */
  start(requestId: string, row: string): Promise<void>;
  /** Notes how a request ended, within this turn of the event loop. False when the record was lost. */
  finish(requestId: string, row: string, payload: readonly Buffer[]): boolean;
  /** Resolves when what was appended would survive the end of the process; undefined when nothing waits for that. */
  written(): Promise<void> | undefined;
  /** Whether payloads are taken. */
  takesPayloads(): boolean;
  /** Hands what was appended to the system. */
  flush(): void;
  /** Reads finished and started entries behind the mark; undefined when there are none. */
  read(limit: number): Promise<SpoolBatch | undefined>;
  /** Notes that everything up to the mark is in the database; files no longer needed go. */
  advance(batch: SpoolBatch): void;
  state(): SpoolState;
  /** Called after something was appended. */
  onAppended: () => void;
  /** Flushes, syncs and closes; answers whether everything was shipped. */
  close(): Promise<boolean>;
}

const syncMs = 50;
const retryMs = 500;
const maxMemoryBytes = 64 * 1024 * 1024;
const eagerFlushBytes = 1024 * 1024;
const smallestBuffer = 64 * 1024;
const readBytes = 1024 * 1024;

/**
 * Opens a spool for this process.
 *
 * Entries are gathered during one turn of the event loop and handed to the system with one write, so what many
 * requests append at once costs one system call. A record the system has been given survives the end of the process;
 * a sync every 50 ms, off the path, bounds what the end of the machine can take.
 */
export function createSpool(options: SpoolOptions): Spool {
  const { maxBytes, log, clock, disk = systemDisk } = options;
  const folder = createSpoolFolder(options.root);
  const segments = createSegments(folder.path, Math.min(64 * 1024 * 1024, maxBytes / 16));
  /** Requests that run, with what stands in the spool for them. */
  const open = new Map<string, { readonly row: string; segment: number }>();
  let rows = Buffer.allocUnsafe(smallestBuffer);
  let used = 0;
  let payloads: Buffer[] = [];
  let payloadBytes = 0;
  let turn: PromiseWithResolvers<void> | undefined;
  let scheduled: ReturnType<typeof setImmediate> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let sync: ReturnType<typeof setTimeout> | undefined;
  let syncing: Promise<unknown> | undefined;
  let wroteMeanwhile = false;
  let writable = true;
  let lost = 0;
  let oldestAt: number | undefined;
  let closed = false;
  const alive = setInterval(() => folder.touch(), 15_000);
  alive.unref();

  const bytes = () => segments.bytes() + used + payloadBytes;
  const isFull = () => {
    if (bytes() >= maxBytes) segments.dropOldestPayloads(() => bytes() < 0.95 * maxBytes);
    return bytes() >= maxBytes || (!writable && used >= maxMemoryBytes);
  };

  const spool: Spool = {
    path: folder.path,
    onAppended: () => {},
    mayStart: () => options.whenFull === "serve" || !isFull(),
    start(requestId, row) {
      if (closed || isFull()) return Promise.resolve();
      // Taken first: a large batch is written at once, and may begin another segment behind it.
      open.set(requestId, { row, segment: segments.current.number });
      append("started", requestId, row);
      return spool.written() ?? Promise.resolve();
    },
    finish(requestId, row, payload) {
      const started = open.delete(requestId);
      // What has begun under the policy to refuse is kept although there is little room.
      const keep = !isFull() ||
        (options.whenFull === "refuse" && started && used < 2 * maxMemoryBytes);
      if (closed || !keep) {
        if (lost++ === 0) {
          log.error("The audit spool is full: records are lost", { bytes: bytes() });
        }
        return false;
      }
      append("finished", requestId, row, payload);
      oldestAt ??= clock.now();
      spool.onAppended();
      return true;
    },
    written() {
      if (!scheduled) return undefined;
      turn ??= Promise.withResolvers<void>();
      return turn.promise;
    },
    takesPayloads: () => writable && bytes() < 0.8 * maxBytes,
    flush,
    async read(limit) {
      const part = await segments.read(limit, readBytes);
      if (part) return part;
      // The disk refuses what is in memory: it is shipped from there.
      if (writable || used === 0) return undefined;
      const { current } = segments;
      const from = Math.max(segments.mark.offset, current.rowBytes);
      const { entries, next } = scanEntries(
        Buffer.from(rows.subarray(from - current.rowBytes, used)),
        from,
        segments.signOf(current),
        limit,
      );
      return entries.length === 0
        ? undefined
        : segments.batch(entries, { segment: current.number, offset: next }, current.number);
    },
    advance(batch) {
      const { current } = segments;
      const inMemory = batch.mark.segment === current.number &&
        batch.mark.offset > current.rowBytes;
      if (inMemory) {
        const shipped = batch.mark.offset - current.rowBytes;
        rows.copyWithin(0, shipped, used);
        used -= shipped;
        current.rowBytes = batch.mark.offset;
      }
      segments.advance(batch.mark, carryForward);
      const last = batch.entries.at(-1);
      const isRest = used > 0 || !segments.isShipped();
      oldestAt = isRest ? last ? timeOf(last.requestId) : oldestAt : undefined;
    },
    state: () => ({
      bytes: bytes(),
      maxBytes,
      pressure: isFull() ? "full" : bytes() >= 0.8 * maxBytes ? "high" : "none",
      writable,
      oldestAt,
      lost,
    }),
    async close() {
      flush();
      closed = true;
      for (const timer of [retry, sync]) clearTimeout(timer);
      clearInterval(alive);
      await syncing;
      const shipped = open.size === 0 && used === 0 && segments.isShipped();
      segments.close();
      if (shipped) folder.remove();
      folder.release();
      return shipped;
    },
  };
  return spool;

  function append(
    kind: EntryKind,
    requestId: string,
    row: string,
    payload: readonly Buffer[] = [],
  ): void {
    const bound = entryBound(row);
    if (used + bound > rows.length) grow(used + bound);
    used = writeEntry(kind, requestId, row, place(payload));
    if (used + payloadBytes > eagerFlushBytes && writable) flush();
    else if (writable) scheduled ??= setImmediate(flush);
  }

  function writeEntry(
    kind: EntryKind,
    requestId: string,
    row: string,
    payload: PayloadPlace | undefined,
  ): number {
    return segments.write(rows, used, kind, requestId, row, payload);
  }

  function place(payload: readonly Buffer[]): PayloadPlace | undefined {
    if (payload.length === 0 || !writable) return undefined;
    const offset = segments.current.payloadBytes + payloadBytes;
    let length = 0;
    let crc = 0;
    for (const part of payload) {
      length += part.length;
      crc = crc32(part, crc);
      payloads.push(part);
    }
    payloadBytes += length;
    return length === 0 ? undefined : { offset, length, crc };
  }

  function grow(atLeast: number): void {
    let size = rows.length;
    while (size < atLeast) size *= 2;
    const larger = Buffer.allocUnsafe(size);
    rows.copy(larger, 0, 0, used);
    rows = larger;
  }

  function flush(): void {
    clearImmediate(scheduled);
    scheduled = undefined;
    const waiting = turn;
    turn = undefined;
    if (used > 0 && !closed) write();
    waiting?.resolve();
  }

  function write(): void {
    const { current } = segments;
    const batch = payloads;
    const batchBytes = payloadBytes;
    payloads = [];
    payloadBytes = 0;
    try {
      // A payload that cannot be written is given up; its record then says so.
      if (batch.length > 0) {
        const at = current.payloadBytes;
        current.payloadBytes += batchBytes;
        writeAll(segments.payloadFile(), batch, batchBytes, at);
      }
    } catch (error) {
      refused(error);
    }
    try {
      const written = disk.write(current.rowFile, rows, 0, used, current.rowBytes);
      if (written < used) throw new Error(`only ${written} of ${used} bytes were written`);
      current.rowBytes += used;
      used = 0;
      if (rows.length > 16 * eagerFlushBytes) rows = Buffer.allocUnsafe(smallestBuffer);
      if (!writable) log.info("The audit spool can be written to again");
      writable = true;
      if (syncing) wroteMeanwhile = true;
      else sync ??= setTimeout(startSync, syncMs);
      if (current.rowBytes + current.payloadBytes > segments.segmentBytes) rotate();
    } catch (error) {
      refused(error);
      retry ??= setTimeout(() => {
        retry = undefined;
        flush();
      }, retryMs);
    }
  }

  function rotate(): void {
    try {
      segments.rotate(disk.sync);
    } catch (error) {
      // The present files go on; the next write tries again.
      log.warn("Cannot begin a new segment of the audit spool", { error });
    }
  }

  function writeAll(file: number, batch: readonly Buffer[], length: number, at: number): void {
    const written = disk.writev(file, batch, at);
    if (written === length) return;
    const rest = Buffer.concat(batch).subarray(written);
    if (disk.write(file, rest, 0, rest.length, at + written) < rest.length) {
      throw new Error("the disk takes only a part");
    }
  }

  function refused(error: unknown): void {
    if (!writable || closed) return;
    writable = false;
    log.error("Cannot write to the audit spool: records stay in memory", {
      path: folder.path,
      error,
    });
  }

  function startSync(): void {
    sync = undefined;
    wroteMeanwhile = false;
    // One after the other: on a slow disk they would otherwise pile up and take every thread files are read with.
    syncing = Promise.allSettled(segments.files().map((file) => disk.sync(file))).then(() => {
      syncing = undefined;
      if (wroteMeanwhile && !closed) sync ??= setTimeout(startSync, syncMs);
    });
  }

  /** Requests that still run keep their note when the file it stands in goes. */
  function carryForward(segment: number): void {
    for (const [requestId, entry] of open) {
      if (entry.segment !== segment) continue;
      entry.segment = segments.current.number;
      append("started", requestId, entry.row);
    }
    flush();
  }
}

/** Unix milliseconds a UUIDv7 was made at. */
export function timeOf(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}
