import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** What a route loads before its page is there. */
export interface ScriptWeight {
  readonly route: string;
  /** Compressed with gzip. */
  readonly bytes: number;
}

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}

/**
 * Adds up the script of each route: the framework's entries and the nodes of the page and its layouts, with
 * everything they import. What is loaded later, such as the editor, does not count.
 *
 * @param outDir the framework's own folder
 * @param folder the built console, compressed twins included
 */
export async function scriptWeights(outDir: string, folder: string): Promise<ScriptWeight[]> {
  const manifest = JSON.parse(
    await readFile(join(outDir, "output/client/.vite/manifest.json"), "utf8"),
  ) as Record<string, Chunk>;
  const app = await readFile(join(outDir, "generated/build/client-optimized/app.js"), "utf8");
  const keys = Object.keys(manifest);
  const entries = keys.filter((key) =>
    /client-optimized\/app\.js$|runtime\/client\/\w+(-\w+)?\.js$/.test(key)
  );
  const node = (index: number) =>
    keys.find((key) => key.endsWith(`/client-optimized/nodes/${index}.js`));
  const weights: ScriptWeight[] = [];
  for (const [, route, list] of app.matchAll(/"(\/[^"]*)": \[([^\]]*(?:\[[^\]]*\])?[^\]]*)\]/g)) {
    // The two first nodes are the outermost layout and the error page.
    const nodes = [0, 1, ...(list!.match(/\d+/g) ?? []).map(Number)];
    const wanted = [...entries, ...nodes.map(node).filter((key) => key !== undefined)];
    const files = new Set<string>();
    const add = (key: string) => {
      const chunk = manifest[key];
      if (!chunk || files.has(chunk.file)) return;
      files.add(chunk.file);
      for (const next of chunk.imports ?? []) add(next);
    };
    for (const key of wanted) add(key);
    let bytes = 0;
    for (const file of files) {
      if (file.endsWith(".js")) bytes += (await stat(join(folder, `${file}.gz`))).size;
    }
    weights.push({ route: route!, bytes });
  }
  return weights.sort((a, b) => b.bytes - a.bytes);
}

/** The weights as a table for people. */
export function describeWeights(weights: readonly ScriptWeight[]): string {
  const rows = weights.map(({ route, bytes }) =>
    `  ${(bytes / 1024).toFixed(1).padStart(6)} KiB  ${route}`
  );
  return ["Script per route, gzip:", ...rows].join("\n");
}
