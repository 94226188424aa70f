import { accessSync, chmodSync, constants, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { StartError } from "./start-error.ts";

/**
 * Makes the data folder, for the gateway's account alone, and checks that it can be written to. A folder that exists and
 * belongs to somebody else, such as a mounted volume, keeps its mode.
 *
 * @throws StartError naming the folder and the reason
 */
export function prepareDataFolder(folder: string): void {
  try {
    // Folders above it keep the usual mode: only the data folder itself is private.
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    makePrivate(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `Cannot use data folder ${folder}: ${(error as Error).message}. ` +
        "Let the gateway's account write there, or name another folder in DATA_DIR",
      { cause: error },
    );
  }
}

function makePrivate(folder: string): void {
  try {
    chmodSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  }
}
