import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as exported from "./src/index.ts";

/*
 * Writes `json/<name>.schema.json` for every schema `src/index.ts` exports: a TypeBox constant with a title, named
 * like its type (`PluginManifest` becomes `plugin-manifest.schema.json`). With `--check` nothing is written; the
 * exit code is 1 and stale files are named.
 */

/** The files to be, by name, with their text. */
export function emitSchemas(members: Readonly<Record<string, unknown>>): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, value] of Object.entries(members)) {
    if (!isNamedSchema(name, value)) continue;
    const file = `${kebab(name)}.schema.json`;
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: file,
      ...withoutIds(value) as Record<string, unknown>,
    };
    files.set(file, `${JSON.stringify(schema, null, 2)}\n`);
  }
  return files;
}

/** Names of files in `folder` that differ from `files`, are missing, or have no source any more. */
export async function staleSchemas(
  folder: string,
  files: ReadonlyMap<string, string>,
): Promise<string[]> {
  const present = await readdir(folder).catch(() => []);
  const stale = present.filter((file) => file.endsWith(".schema.json") && !files.has(file));
  for (const [file, text] of files) {
    const current = await readFile(join(folder, file), "utf8").catch(() => undefined);
    if (current !== text) stale.push(file);
  }
  return stale.sort();
}

async function main(): Promise<void> {
  const folder = fileURLToPath(new URL("./json/", import.meta.url));
  const files = emitSchemas(exported);
  const stale = await staleSchemas(folder, files);
  if (process.argv.includes("--check")) {
    if (stale.length === 0) return;
    console.error(`Stale in schemas/json: ${stale.join(", ")}. Run \`npm run generate\`.`);
    process.exitCode = 1;
    return;
  }
  await mkdir(folder, { recursive: true });
  for (const file of stale) {
    const text = files.get(file);
    await (text === undefined ? rm(join(folder, file)) : writeFile(join(folder, file), text));
  }
  console.log(stale.length === 0 ? "schemas/json is up to date" : `Wrote ${stale.join(", ")}`);
}

function isNamedSchema(name: string, value: unknown): value is Record<string, unknown> {
  return /^[A-Z]/.test(name) && typeof value === "object" && value !== null &&
    "~kind" in value && "title" in value;
}

/** An embedded `$id` would move the base of references, and two copies of one are an error to validators. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => name !== "$id" || typeof member !== "string")
      .map(([name, member]) => [name, withoutIds(member)]),
  );
}

function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-").toLowerCase();
}

if (import.meta.main) await main();
