import { readFile, rename, rm, writeFile } from "node:fs/promises";
import process from "node:process";
import type { Log } from "../contract/plugin.ts";
import type { Delta, Position, SnapshotRows } from "./snapshot-rows.ts";
import type { SnapshotTables } from "./snapshot-tables.ts";

/** What the file works with. */
export interface SnapshotFileOptions {
  readonly path: string;
  /** Seals the whole content under the key ring. */
  seal(plain: Uint8Array): Promise<string>;
  /** Opens what `seal` made; rejects when it cannot. */
  open(sealed: string): Promise<Uint8Array>;
  readonly log: Log;
  /** Unix milliseconds; `Date.now` by default. */
  readonly now?: (() => number) | undefined;
}

/** The last configuration on disk, for a start while the database is away. */
export interface SnapshotFile {
  /** The content, unless there is none, it does not open, or the database confirmed it over 24 h ago. */
  read(): Promise<Delta | undefined>;
  /** Writes when the revision is new, and now and then to say that it still holds. Never throws. */
  keep(position: Position, tables: SnapshotTables): void;
  /** Waits for the write under way. */
  flush(): Promise<void>;
}

const longestAgeMs = 24 * 3_600_000;
const confirmEveryMs = 600_000;

/** Fields that JSON turned into text. */
const dates = new Set([
  "createdAt",
  "updatedAt",
  "expiresAt",
  "previousValidUntil",
  "lastUsedAt",
  "lastLoginAt",
  "addedAt",
  "assignedAt",
]);

/** Creates the file's reader and writer. Secret fields in it stay sealed one by one as they are in the database. */
export function createSnapshotFile(options: SnapshotFileOptions): SnapshotFile {
  const { path, log, now = Date.now } = options;
  let written: (Position & { at: number }) | undefined;
  let queue: Promise<void> = Promise.resolve();

  async function write(text: string): Promise<void> {
    try {
      const sealed = await options.seal(new TextEncoder().encode(text));
      // Processes on one data folder write at the same time: each has a draft of its own.
      const draft = `${path}.new-${process.pid}`;
      await rm(draft, { force: true });
      await writeFile(draft, sealed, { mode: 0o600, flag: "wx" });
      await rename(draft, path);
    } catch (error) {
      written = undefined;
      log.warn("Cannot keep the configuration in the data folder", { error });
    }
  }

  return {
    async read() {
      try {
        const sealed = await readFile(path, "utf8").catch(() => undefined);
        if (sealed === undefined) return undefined;
        const kept = JSON.parse(new TextDecoder().decode(await options.open(sealed))) as {
          confirmedAt: number;
          position: Position;
          rows: Record<string, Record<string, unknown>[]>;
        };
        if (now() - kept.confirmedAt > longestAgeMs) {
          log.warn("The configuration kept in the data folder is older than 24 hours");
          return undefined;
        }
        for (const row of Object.values(kept.rows).flat()) {
          for (const [key, value] of Object.entries(row)) {
            if (dates.has(key) && typeof value === "string") row[key] = new Date(value);
          }
        }
        const rows = kept.rows as unknown as SnapshotRows;
        return { ...kept.position, isFull: true, rows, deleted: [] };
      } catch (error) {
        log.warn("Cannot read the configuration kept in the data folder", { error });
        return undefined;
      }
    },
    keep(position, tables) {
      const at = now();
      const isNew = written?.revision !== position.revision || written.epoch !== position.epoch;
      if (!isNew && at - written!.at < confirmEveryMs) return;
      written = { ...position, at };
      // Copied now: the tables change in place with the next load.
      const rows = Object.fromEntries(
        Object.entries(tables).map(([name, map]) => [name, [...map.values()].map(plain)]),
      );
      const text = JSON.stringify({ confirmedAt: at, position, rows });
      queue = queue.then(() => write(text));
    },
    flush: () => queue,
  };
}

// Entities serialise without their hidden columns; the loader needs the hashes among them.
function plain(row: object): object {
  const { passwordHash: _, ...kept } = row as { readonly passwordHash?: unknown };
  return kept;
}
