import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createManagementApi } from "../management/index.ts";
import manifest from "../package.json" with { type: "json" };

/*
 * Writes `schemas/openapi.json` from the route table. With `--check` nothing is written; the exit code is 1 when
 * the file is not what the route table says.
 */

/** The text of `schemas/openapi.json`. */
export function openApiText(): string {
  return `${JSON.stringify(createManagementApi(manifest.version).openApi, null, 2)}\n`;
}

async function main(): Promise<void> {
  const file = fileURLToPath(new URL("../../schemas/openapi.json", import.meta.url));
  const text = openApiText();
  const current = await readFile(file, "utf8").catch(() => undefined);
  if (current === text) {
    if (!process.argv.includes("--check")) console.log("schemas/openapi.json is up to date");
    return;
  }
  if (process.argv.includes("--check")) {
    console.error("Stale: schemas/openapi.json. Run `npm run generate`.");
    process.exitCode = 1;
    return;
  }
  await writeFile(file, text);
  console.log("Wrote schemas/openapi.json");
}

if (import.meta.main) await main();
