import type { Log } from "../contract/index.ts";
import { isDatabaseUnavailable } from "../store/database-error.ts";
import type { InsertRecords, Shipment } from "./insert.ts";
import { type DocumentOptions, documentText, payloadDocument } from "./payload/document.ts";
import { encodePayload } from "./payload/encoding.ts";
import type { SegmentBatch } from "./spool/segments.ts";
import type { SpoolEntry } from "./spool/segment.ts";
import type { Spool } from "./spool/spool.ts";

/** Brings entries into the database, however long it is away. */
export interface Shipper {
  /** Ships everything the spool holds now; resolves when that is in the database. */
  ship(): Promise<void>;
  /** Ships entries of other folders. */
  shipEntries(
    entries: readonly SpoolEntry[],
    payload: SegmentBatch["payload"],
  ): Promise<void>;
  /** Ends waiting for the database: what is under way gives up. */
  stop(): void;
  /** Records that are in the database since the start. */
  shipped(): number;
}

const batchEntries = 1_000;
const maxRows = 500;
const maxBatchBytes = 8 * 1024 * 1024;
const firstPauseMs = 250;
const longestPauseMs = 2_000;

/** Says that shipping was stopped while the database was away. */
class Stopped extends Error {
  override readonly name = "Stopped";
}

/** Creates the shipper of a spool. */
export function createShipper(
  spool: Spool,
  insert: InsertRecords,
  documents: DocumentOptions,
  log: Log,
): Shipper {
  let shipping: Promise<void> | undefined;
  let shipped = 0;
  let away = false;
  const stopping = new AbortController();

  async function run(): Promise<void> {
    for (;;) {
      const batch = await spool.read(batchEntries);
      if (!batch) return;
      await shipEntries(batch.entries.filter(({ kind }) => kind === "finished"), batch.payload);
      spool.advance(batch);
    }
  }

  async function shipEntries(
    entries: readonly SpoolEntry[],
    payload: SegmentBatch["payload"],
  ): Promise<void> {
    let batch: Shipment[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const shipment = await toShipment(entry, payload);
      batch.push(shipment);
      bytes += shipment.row.length + (shipment.payload?.bytes?.length ?? 0);
      if (batch.length < maxRows && bytes < maxBatchBytes) continue;
      await insertPatiently(batch);
      batch = [];
      bytes = 0;
    }
    await insertPatiently(batch);
  }

  async function toShipment(
    entry: SpoolEntry,
    readPayload: SegmentBatch["payload"],
  ): Promise<Shipment> {
    const { requestId, row } = entry;
    const shipment = { requestId, row };
    const spooled = await readPayload(entry);
    if (!spooled) return shipment;
    try {
      const document = await payloadDocument(spooled, documents);
      const text = documentText(document);
      const { encoding, bytes } = text === undefined
        ? { encoding: "json", bytes: null }
        : await encodePayload(text);
      return { ...shipment, payload: { encoding, bytes, state: document.state } };
    } catch (error) {
      log.warn("Cannot keep a payload", { requestId: entry.requestId, error });
      return shipment;
    }
  }

  async function insertPatiently(batch: readonly Shipment[]): Promise<void> {
    for (let pauseMs = firstPauseMs;; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      if (stopping.signal.aborted) throw new Stopped();
      try {
        shipped += batch.length - await insert(batch);
        if (away) log.info("The database takes audit records again");
        away = false;
        return;
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error;
        if (!away) log.warn("The database is away: audit records wait in the spool", { error });
        away = true;
        await pause(pauseMs, stopping.signal);
      }
    }
  }

  return {
    ship() {
      return shipping ??= run().catch((error: unknown) => {
        if (error instanceof Stopped) return;
        log.error("Cannot ship audit records", { error });
      }).finally(() => shipping = undefined);
    },
    shipEntries,
    stop: () => stopping.abort(),
    shipped: () => shipped,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
