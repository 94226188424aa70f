import type { Log } from "../contract/index.ts";
import { recordText } from "./record-text.ts";
import { type StartedNote, unfinishedRecord } from "./record.ts";
import { adoptSpoolFolders, segmentNumbers, type SpoolFolder } from "./spool/folder.ts";
import { fileHeaderBytes, type SpoolEntry } from "./spool/segment.ts";
import {
  type Mark,
  readKeptMark,
  readSegment,
  rowBytesOf,
  type SegmentBatch,
} from "./spool/segments.ts";
import type { Shipper } from "./ship.ts";

const stretchBytes = 1024 * 1024;
const batchEntries = 1_000;

/**
 * Ships what processes that are gone have left below `root`: what they finished, and what they were serving when
 * they ended, which becomes `interrupted`. Answers how many folders were emptied.
 */
export async function shipOrphans(root: string, shipper: Shipper, log: Log): Promise<number> {
  let emptied = 0;
  for (const folder of adoptSpoolFolders(root)) {
    try {
      await shipFolder(folder, shipper, log);
      folder.remove();
      emptied++;
    } catch (error) {
      log.warn("Cannot ship the records of an earlier process yet", { path: folder.path, error });
    } finally {
      folder.release();
    }
  }
  return emptied;
}

async function shipFolder(folder: SpoolFolder, shipper: Shipper, log: Log): Promise<void> {
  const running = new Map<string, SpoolEntry>();
  for await (const { entries } of readFolder(folder.path)) {
    for (const entry of entries) {
      if (entry.kind === "finished") running.delete(entry.requestId);
      else running.set(entry.requestId, { ...entry, row: Buffer.from(entry.row) });
    }
  }
  const mark = readKeptMark(folder.path);
  let finished = 0;
  for await (const { entries, payload } of readFolder(folder.path, mark)) {
    folder.touch();
    const ended = entries.filter(({ kind }) => kind === "finished");
    finished += ended.length;
    await shipper.shipEntries(ended, payload);
  }
  const interrupted = [...running.values()].map(asInterrupted);
  await shipper.shipEntries(interrupted, () => Promise.resolve(undefined));
  if (finished + running.size === 0) return;
  log.info("Shipped the records of an earlier process", { finished, interrupted: running.size });
}

/** The note of a request that never ended, as the row that tells so. */
function asInterrupted(entry: SpoolEntry): SpoolEntry {
  const note = JSON.parse(entry.row.toString("utf8")) as StartedNote;
  return { ...entry, row: Buffer.from(recordText(unfinishedRecord(note))) };
}

/** Every entry behind the mark, segment by segment. */
async function* readFolder(path: string, from?: Mark): AsyncGenerator<SegmentBatch> {
  for (const segment of segmentNumbers(path)) {
    if (from && segment < from.segment) continue;
    const size = rowBytesOf(path, segment);
    let offset = from?.segment === segment ? from.offset : fileHeaderBytes;
    for (let stretch = stretchBytes; offset < size;) {
      const end = Math.min(size, offset + stretch);
      const batch = await readSegment(path, { segment, offset }, end, batchEntries);
      if (batch.entries.length > 0) {
        yield batch;
        stretch = stretchBytes;
      } else if (end === size) break;
      else stretch *= 4; // One entry is larger than what was read.
      offset = batch.mark.offset;
    }
  }
}
