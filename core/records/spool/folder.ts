import { randomUUID } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { acquireOwnerLock } from "../../store/embedded/owner-lock.ts";

/** A folder of segments that this process owns. */
export interface SpoolFolder {
  readonly path: string;
  /** Says that the owner lives; needed where others cannot see this process. */
  touch(): void;
  /** Gives the folder up: whoever comes next may adopt it. */
  release(): void;
  /** Removes it with all its files. */
  remove(): void;
}

/** Time without a sign of life after which an owner nobody can see is taken for dead. */
const silenceMs = 60_000;
const realmFile = "realm";

/** Creates a folder of its own for this process below `root`. */
export function createSpoolFolder(root: string): SpoolFolder {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  for (let attempt = 0;; attempt++) {
    const path = join(root, `${Date.now().toString(36)}-${randomUUID().slice(0, 8)}`);
    mkdirSync(path, { mode: 0o700 });
    writeFileSync(join(path, realmFile), realm(), { mode: 0o600 });
    try {
      return own(path);
    } catch (error) {
      // Somebody tidied the folder up before it had a lock.
      if (attempt === 5) throw error;
    }
  }
}

/** Takes over the folders below `root` whose processes are gone. A folder is taken by one process only. */
export function adoptSpoolFolders(root: string, now = Date.now()): SpoolFolder[] {
  return folders(root).flatMap((path) => {
    if (!mayAdopt(path, now)) return [];
    try {
      const folder = own(path);
      writeFileSync(join(path, realmFile), realm(), { mode: 0o600 });
      return [folder];
    } catch {
      return [];
    }
  });
}

/** Numbers of the segments in a folder, in order. */
export function segmentNumbers(path: string): number[] {
  return entriesOf(path)
    .filter((name) => name.endsWith(".rows"))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

/** The files of a segment. */
export function segmentFiles(path: string, segment: number): { rows: string; payloads: string } {
  const name = join(path, String(segment).padStart(10, "0"));
  return { rows: `${name}.rows`, payloads: `${name}.payloads` };
}

function own(path: string): SpoolFolder {
  const release = acquireOwnerLock(path);
  return {
    path,
    touch() {
      const now = new Date();
      utimesSync(join(path, realmFile), now, now);
    },
    release,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The lock tells whether its process lives, but only to processes that can see each other. */
function mayAdopt(path: string, now: number): boolean {
  try {
    const file = join(path, realmFile);
    if (readFileSync(file, "utf8") === realm()) return true;
    return now - statSync(file).mtimeMs > silenceMs || !entriesOf(path).includes("owner.lock");
  } catch {
    return now - statSync(path).mtimeMs > silenceMs;
  }
}

let ownRealm: string | undefined;

/** What two processes must share to judge each other by process id: machine and process namespace. */
function realm(): string {
  if (ownRealm !== undefined) return ownRealm;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    ownRealm = `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    ownRealm = process.platform;
  }
  return ownRealm;
}

function folders(root: string): string[] {
  return entriesOf(root).sort().map((name) => join(root, name));
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
