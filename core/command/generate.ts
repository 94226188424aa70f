import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createManagementApi } from "../management/index.ts";
import manifest from "../package.json" with { type: "json" };
import { metricsPage } from "./metrics-page.ts";

/*
 * Writes `schemas/openapi.json` from the route table, `docs/command.md` from the commands and `docs/metrics.md` from
 * the metrics. With `--check` nothing is written; the exit code is 1 when a file is not what its source says.
 */

/** The text of `schemas/openapi.json`. */
export function openApiText(): string {
  return `${JSON.stringify(createManagementApi(manifest.version).openApi, null, 2)}\n`;
}

async function main(): Promise<void> {
  await keepUp("schemas/openapi.json", openApiText());
  // The commands read the document, so they are loaded once it is up to date.
  const { commandPage } = await import("./command-page.ts");
  await keepUp("docs/command.md", await commandPage());
  await keepUp("docs/metrics.md", metricsPage());
}

async function keepUp(name: string, text: string): Promise<void> {
  const file = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const current = await readFile(file, "utf8").catch(() => undefined);
  if (current === text) {
    if (!process.argv.includes("--check")) console.log(`${name} is up to date`);
    return;
  }
  if (process.argv.includes("--check")) {
    console.error(`Stale: ${name}. Run \`npm run generate\`.`);
    process.exitCode = 1;
    return;
  }
  await writeFile(file, text);
  console.log(`Wrote ${name}`);
}

if (import.meta.main) await main();
