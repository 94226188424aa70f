import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { PluginStatus } from "./plugin-host.ts";

/** A package that may be a plugin. */
export interface FoundPackage {
  /** Real path of its folder. */
  readonly folder: string;
  readonly source: PluginStatus["source"];
  /** Its package.json, or undefined when that cannot be read. */
  readonly packageJson: Readonly<Record<string, unknown>> | undefined;
  /** Why the package.json cannot be read. */
  readonly problem?: string;
}

/**
 * Finds plugins, in order: `plugins/*` of the installation; direct dependencies of the installation's package.json
 * that carry `engines.vmx`; the folders named by the operator, each a plugin or a folder of plugins.
 */
export async function discover(
  root: string,
  folders: readonly string[] = [],
): Promise<FoundPackage[]> {
  const source = await ownsThisCore(root) ? "builtin" : "folder";
  const groups = await Promise.all([
    subfolders(join(root, "plugins"), source),
    dependencies(root),
    ...folders.map((folder) => named(resolve(root, folder))),
  ]);
  const found = new Map<string, FoundPackage>();
  for (const candidate of groups.flat()) {
    if (!found.has(candidate.folder)) found.set(candidate.folder, candidate);
  }
  return [...found.values()];
}

/**
 * The folder that holds the installation: the one above the outermost node_modules when core was installed as a
 * package, else the one above core.
 */
export function installationRoot(coreFolder: string = ownFolder()): string {
  const parts = coreFolder.split(/[\\/]/);
  const modules = parts.indexOf("node_modules");
  return modules > 0 ? parts.slice(0, modules).join("/") || "/" : dirname(coreFolder);
}

/** Core's own folder. */
export function ownFolder(): string {
  return dirname(dirname(fileURLToPath(import.meta.url)));
}

async function ownsThisCore(root: string): Promise<boolean> {
  const core = await realpath(join(root, "core")).catch(() => undefined);
  return core !== undefined && core === await realpath(ownFolder());
}

async function subfolders(
  folder: string,
  source: PluginStatus["source"],
): Promise<FoundPackage[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith("."))
    .sort();
  const found = await Promise.all(names.map((name) => inspect(join(folder, name), source)));
  return found.filter((candidate) => candidate !== undefined);
}

async function dependencies(root: string): Promise<FoundPackage[]> {
  const installation = await inspect(root, "folder");
  const names = ["dependencies", "optionalDependencies"].flatMap((kind) => {
    const list = installation?.packageJson?.[kind];
    return typeof list === "object" && list !== null ? Object.keys(list) : [];
  });
  const found = await Promise.all(names.map((name) => installed(root, name)));
  return found.filter((candidate) => candidate !== undefined && carriesEngine(candidate))
    .map((candidate) => candidate!);
}

/** Looks a package up the way the runtimes do: in node_modules of the folder and of those above it. */
async function installed(root: string, name: string): Promise<FoundPackage | undefined> {
  for (let folder = root;; folder = dirname(folder)) {
    if (basename(folder) !== "node_modules") {
      const found = await inspect(join(folder, "node_modules", name), "dependency");
      if (found) return found;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

async function named(folder: string): Promise<FoundPackage[]> {
  const self = await inspect(folder, "folder");
  if (self) return [self];
  const below = await subfolders(folder, "folder");
  if (below.length > 0) return below;
  return [{ folder, source: "folder", packageJson: undefined, problem: "it holds no plugin" }];
}

/** Reads a folder's package.json; undefined when there is none. */
async function inspect(
  folder: string,
  source: PluginStatus["source"],
): Promise<FoundPackage | undefined> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const real = await realpath(folder);
  try {
    const packageJson: unknown = JSON.parse(text);
    if (typeof packageJson === "object" && packageJson !== null && !Array.isArray(packageJson)) {
      return { folder: real, source, packageJson: packageJson as Record<string, unknown> };
    }
    return { folder: real, source, packageJson: undefined, problem: "it is not a JSON object" };
  } catch {
    return { folder: real, source, packageJson: undefined, problem: "it is not valid JSON" };
  }
}

function carriesEngine(candidate: FoundPackage): boolean {
  const engines = candidate.packageJson?.engines;
  return typeof engines === "object" && engines !== null && "vmx" in engines;
}
