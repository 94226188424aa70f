import { randomBytes } from "node:crypto";
import { link, open, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "@vmx/core/contract";
import { keyBytes, type KeyRing, parseKeyRing } from "./key-ring.ts";

const fileName = "encryption.key";

/**
 * Reads the key file of a data directory, creating it with mode 0600 when there is none; a warning then tells to
 * back it up. The file holds a key ring, one `version:key` per line. Throws an Error naming the file when it is unreadable.
 */
export async function loadKeyFile(dataDir: string, log: Log): Promise<KeyRing> {
  const path = join(dataDir, fileName);
  const existing = await readIfPresent(path);
  if (existing === undefined) {
    if (await create(path)) {
      log.warn(
        `Made a new encryption key in ${path}. Back it up: without it stored credentials cannot be opened`,
      );
    }
  } else {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      log.warn(`The encryption key in ${path} can be read by others: set its mode to 0600`);
    }
  }
  return parseKeyRing(existing ?? await readFile(path, "utf8"), path);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`Cannot read the encryption key ${path}`, { cause: error });
  }
}

/** Writes the file whole or not at all; answers false when another process was first. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`1:${randomBytes(keyBytes).toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}
