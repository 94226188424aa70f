import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { canEnter, type ServiceUser } from "./service-user.ts";
import { StartError } from "../../start-error.ts";

// The system allows 107 bytes on Linux and 103 on macOS.
const longestSocketPath = 100;

/** Where the database lies. */
export interface Place {
  /** Holds `data` and usually `socket`; inside the data folder unless the account cannot reach that. */
  readonly base: string;
  readonly data: string;
}

/**
 * Finds or makes the place of the database: `postgres` in the data folder, or a folder under `outside` when
 * the account cannot reach it there. A file in the data folder remembers the second case.
 */
export function findPlace(
  dataFolder: string,
  user: ServiceUser | undefined,
  outside: string,
): Place {
  const pointer = join(dataFolder, "database-location");
  const inside = join(dataFolder, "postgres");
  if (existsSync(pointer)) return place(readFileSync(pointer, "utf8").trim(), user);
  if (!user || letIn(dataFolder, user)) return place(inside, user);
  if (existsSync(inside)) {
    throw new StartError(
      `Cannot start the embedded database: user ${user.name} can no longer reach ${inside}. ` +
        "Let that user enter the folders above it, or move the data folder",
    );
  }
  // The random part keeps a removed and newly made data folder from meeting its old database.
  const hash = createHash("sha256").update(dataFolder).update(randomUUID()).digest("hex");
  const base = join(outside, hash.slice(0, 16));
  mkdirSync(outside, { recursive: true, mode: 0o755 });
  const found = place(base, user);
  writeFileSync(pointer, `${base}\n`, { mode: 0o600 });
  return found;
}

/** The folder of the socket, and whether it is a temporary one to be removed at the end. */
export function findSocketFolder(
  base: string,
  user: ServiceUser | undefined,
): { folder: string; isTemporary: boolean } {
  const folder = join(base, "socket");
  if (socketLength(folder) <= longestSocketPath) {
    ownFolder(folder, user);
    return { folder, isTemporary: false };
  }
  for (const parent of [tmpdir(), "/tmp"]) {
    if (user && !canEnter(user, parent)) continue;
    if (socketLength(join(parent, "vmx-XXXXXX")) > longestSocketPath) continue;
    const temporary = mkdtempSync(join(parent, "vmx-"));
    ownFolder(temporary, user);
    return { folder: temporary, isTemporary: true };
  }
  throw new StartError(
    `Cannot start the embedded database: the path of its socket, ${folder}, is too long, and the ` +
      "temporary folder offers no shorter one. Set DATA_DIR to a shorter path",
  );
}

function place(base: string, user: ServiceUser | undefined): Place {
  ownFolder(base, user);
  const data = join(base, "data");
  const owner = statSync(data, { throwIfNoEntry: false })?.uid;
  // A copy put back from a backup may have lost its mode, and the server insists on it.
  if (owner !== undefined) chmodSync(data, 0o700);
  if (user && owner !== undefined && owner !== user.uid) chownAll(data, user);
  // What an interrupted creation left.
  rmSync(`${data}.partial`, { recursive: true, force: true });
  return { base, data };
}

// Root's own data folder becomes the account's: mode 0700 would shut it out, and root gets in anyway.
function letIn(dataFolder: string, user: ServiceUser): boolean {
  if (!canEnter(user, dirname(dataFolder))) return false;
  const { uid } = statSync(dataFolder);
  if (uid !== user.uid) {
    if (uid !== 0) return false;
    chownSync(dataFolder, user.uid, user.gid);
  }
  return canEnter(user, dataFolder);
}

// The account owns the folder above, so what lies there may be a link it made: root must not follow it.
function ownFolder(folder: string, user: ServiceUser | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!lstatSync(folder).isDirectory()) {
    throw new StartError(`Cannot start the embedded database: ${folder} is not a folder`);
  }
  chmodSync(folder, 0o700);
  if (user) lchownSync(folder, user.uid, user.gid);
}

function chownAll(path: string, user: ServiceUser): void {
  lchownSync(path, user.uid, user.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) chownAll(join(path, name), user);
}

function socketLength(folder: string): number {
  return Buffer.byteLength(join(folder, ".s.PGSQL.5432"));
}
