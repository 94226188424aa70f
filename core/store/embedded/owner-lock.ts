import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processIdentity } from "./process-identity.ts";
import { StartError } from "../../start-error.ts";

interface Owner {
  readonly pid: number;
  readonly identity: string | undefined;
}

/**
 * Makes this process the only owner of a data folder and answers how to give it back. A lock left by a
 * process that is gone is taken over, also when its pid belongs to another process by now.
 *
 * @throws StartError when another live gateway owns the folder
 */
export function acquireOwnerLock(folder: string): () => void {
  const file = join(folder, "owner.lock");
  const own = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) });
  for (let attempt = 0; attempt < 20; attempt++) {
    if (create(file, own)) return () => release(file, own);
    const text = read(file);
    if (text === undefined) continue;
    const owner = parse(text);
    if (owner && isRunning(owner)) {
      throw new StartError(
        `Cannot start on data folder ${folder}: another gateway (process ${owner.pid}) is using it. ` +
          "Stop it first, or set DATA_DIR to another folder",
      );
    }
    removeStale(file, text);
  }
  throw new StartError(`Cannot lock data folder ${folder}: ${file} keeps coming back`);
}

function isRunning({ pid, identity }: Owner): boolean {
  const current = processIdentity(pid);
  return current !== undefined && current === identity;
}

function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new StartError(`Cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}

// Two starts may find the same stale lock. Renaming lets one of them win; should it have caught the other's
// fresh lock instead, it puts that one back.
function removeStale(file: string, seen: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const taken = read(aside);
  if (taken !== undefined && taken !== seen) create(file, taken);
  rmSync(aside, { force: true });
}

function release(file: string, own: string): void {
  if (read(file) === own) rmSync(file, { force: true });
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function parse(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "pid" in value
      ? value as Owner
      : undefined;
  } catch {
    return undefined;
  }
}
