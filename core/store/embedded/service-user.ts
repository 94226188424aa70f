import { spawnSync } from "node:child_process";
import { StartError } from "../../start-error.ts";

/** The account the database server runs as when the gateway is root. */
export interface ServiceUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The account for the server, or undefined when the gateway is not root and the server runs as itself. */
export function findServiceUser(): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const uid = id("-u", name);
    const gid = id("-g", name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid };
  }
  throw new StartError(
    "Cannot start the embedded database: it never runs as root, and neither user postgres nor user " +
      "nobody exists. Start the gateway as an ordinary user, or set DATABASE_URL",
  );
}

/** Whether the account can enter the folder. */
export function canEnter(user: ServiceUser, folder: string): boolean {
  return succeeds(user, "/bin/sh", ["-c", 'cd "$1"', "sh", folder]);
}

/** Whether the program runs to a good end as the account, or as ourselves. */
export function succeeds(user: ServiceUser | undefined, file: string, args: string[]): boolean {
  const result = spawnSync(file, args, { cwd: "/", stdio: "ignore", env: serverEnv, ...as(user) });
  return result.error === undefined && result.status === 0;
}

/** Spawn options that run a program as the account. */
export function as(user: ServiceUser | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {};
}

/** Environment of the server: nothing of ours, which holds secrets. A set time zone spares initdb a search. */
export const serverEnv = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

function id(option: string, name: string): number | undefined {
  const { status, stdout } = spawnSync("id", [option, name], { encoding: "utf8" });
  return status === 0 ? Number(stdout.trim()) : undefined;
}
