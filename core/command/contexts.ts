import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { CommandError } from "./command.ts";

/** A gateway, and how the command speaks to it. */
export interface Context {
  readonly baseUrl: string;
  /** Personal access token; absent before the first login. */
  readonly token?: string;
  readonly workspace?: string;
  readonly environment?: string;
}

/** What the file of contexts holds. */
export interface Contexts {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The file of contexts, in the user's configuration folder. */
export function contextsFile(environment: Environment): string {
  const { XDG_CONFIG_HOME, APPDATA } = environment;
  const folder = XDG_CONFIG_HOME ||
    (process.platform === "win32" && APPDATA ? APPDATA : join(homedir(), ".config"));
  return join(folder, "vmx", "contexts.json");
}

/** Reads the contexts; none when there is no file. Throws a CommandError for a damaged one. */
export async function readContexts(environment: Environment): Promise<Contexts> {
  const file = contextsFile(environment);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new CommandError(`Cannot read ${file}: ${error.message}`);
  });
  if (text === undefined) return { contexts: {} };
  try {
    const value = JSON.parse(text) as Partial<Contexts>;
    if (typeof value.contexts !== "object" || value.contexts === null) {
      throw new Error("no contexts");
    }
    return { ...value, contexts: value.contexts };
  } catch {
    throw new CommandError(`Cannot read ${file}: it is damaged. Delete it and log in again.`);
  }
}

/** Writes the contexts, readable by the user alone. */
export async function writeContexts(environment: Environment, contexts: Contexts): Promise<void> {
  const file = contextsFile(environment);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
  // A file left behind by an earlier run keeps the rights it had.
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}

/** Changes one context and makes it the current one. */
export async function saveContext(
  environment: Environment,
  name: string,
  context: Context,
): Promise<void> {
  const { contexts } = await readContexts(environment);
  await writeContexts(environment, { current: name, contexts: { ...contexts, [name]: context } });
}
