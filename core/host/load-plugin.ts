import { realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "../contract/index.ts";
import type { RegisteredPlugin } from "./manifest.ts";

/** Imports a plugin's entry module and answers its definition. Rejects with an Error that tells what is wrong. */
export async function loadPlugin({ found, manifest }: RegisteredPlugin): Promise<Plugin> {
  const entry = entryPath(manifest as unknown as Record<string, unknown>);
  const file = await realpath(join(found.folder, entry)).catch(() => undefined);
  if (file === undefined) throw new Error(`its entry "${entry}" does not exist`);
  if (!file.startsWith(found.folder + sep)) {
    throw new Error(`its entry "${entry}" lies outside the package`);
  }
  if (/\.[cm]?tsx?$/.test(file) && file.split(sep).includes("node_modules")) {
    throw new Error(
      `its entry "${relative(found.folder, file)}" is TypeScript inside node_modules, which no ` +
        "runtime runs; publish the plugin as JavaScript",
    );
  }
  if (found.source !== "builtin") await importDoors();
  const module: { default?: unknown } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  if (!isPlugin(module.default)) {
    throw new Error(`its entry "${entry}" has no definePlugin({ activate }) as default export`);
  }
  return module.default;
}

/** Where a package's "." leads, by the rules of package exports as far as plugins need them. */
export function entryPath(packageJson: Readonly<Record<string, unknown>>): string {
  const { exports, main } = packageJson;
  const target = isRecord(exports) && "." in exports ? exports["."] : exports;
  return conditional(target) ?? (typeof main === "string" ? main : "index.js");
}

/**
 * Deno refuses a package that imports a module it has not prepared. Importing the public doors here, by the names
 * plugins use, prepares them.
 */
async function importDoors(): Promise<void> {
  await Promise.all([
    import("@vmx/schemas"),
    import("@vmx/core/contract"),
    import("@vmx/core/kit"),
  ]);
}

function conditional(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  if (!isRecord(target)) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    if (!["import", "node", "module", "default"].includes(condition)) continue;
    const path = conditional(value);
    if (path !== undefined) return path;
  }
  return undefined;
}

function isPlugin(value: unknown): value is Plugin {
  return isRecord(value) && typeof value.activate === "function";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
