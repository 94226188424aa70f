import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createClient } from "@hey-api/openapi-ts";

/*
 * Writes `generated/` from `schemas/openapi.json`: types, one class with a method per operation, and the codes of
 * problems. With `--check` nothing is written; the exit code is 1 and stale files are named.
 */

const folder = fileURLToPath(new URL(".", import.meta.url));
const document = fileURLToPath(new URL("../schemas/openapi.json", import.meta.url));

/** Writes what is derived from an OpenAPI document to a folder. */
export async function generateSdk(input: string, output: string): Promise<void> {
  await createClient({
    input,
    output: { path: output, clean: true, module: { extension: ".ts" } },
    logs: { level: "silent", file: false },
    plugins: [
      "@hey-api/typescript",
      "@hey-api/client-fetch",
      {
        name: "@hey-api/sdk",
        auth: false,
        operations: { strategy: "single", containerName: "Api", methodName: (name) => name },
      },
    ],
  });
  await writeFile(join(output, "codes.gen.ts"), codesText(await readFile(input, "utf8")));
}

/** A union of every code that an operation of the document can answer with. */
function codesText(openApi: string): string {
  const codes = new Set<string>();
  JSON.parse(openApi, (key, value: unknown) => {
    if (key === "x-vmx-codes" && Array.isArray(value)) {
      for (const code of value) codes.add(code);
    }
    return value;
  });
  const lines = [...codes].sort().map((code) => `  | ${JSON.stringify(code)}`);
  return `/** Codes of the problems the management API answers with. */
export type ProblemCode =
${lines.join("\n")};
`;
}

/** Files that differ between two folders, by their path inside. */
async function differences(one: string, other: string): Promise<string[]> {
  const [first, second] = await Promise.all([contents(one), contents(other)]);
  return [...new Set([...first.keys(), ...second.keys()])]
    .filter((path) => first.get(path) !== second.get(path))
    .sort();
}

async function contents(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(files.map(async (entry): Promise<[string, string]> => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), await readFile(path, "utf8")];
    })),
  );
}

async function main(): Promise<void> {
  const present = join(folder, "generated");
  // Beside the target, so that a rename puts a file in its place.
  const fresh = await mkdtemp(join(folder, ".generated-"));
  try {
    await generateSdk(document, fresh);
    const stale = await differences(present, fresh);
    if (process.argv.includes("--check")) {
      if (stale.length === 0) return;
      console.error(`Stale in sdk/generated: ${stale.join(", ")}. Run \`npm run generate\`.`);
      process.exitCode = 1;
      return;
    }
    for (const file of stale) {
      await mkdir(dirname(join(present, file)), { recursive: true });
      await rename(join(fresh, file), join(present, file))
        .catch(() => rm(join(present, file)));
    }
    console.log(
      stale.length === 0 ? "sdk/generated is up to date" : `Wrote sdk/generated: ${stale}`,
    );
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

if (import.meta.main) await main();
