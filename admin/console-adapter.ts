import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Adapter, Builder } from "@sveltejs/kit";
import staticAdapter from "@sveltejs/adapter-static";
import { describeWeights, scriptWeights } from "./script-weights.ts";

const folder = "build";
/** Compressed script a page may load before it is there. */
const mostScriptBytes = 250 * 1024;

/**
 * Writes the console as files for the gateway: one page for every path, its boot script in a file of its own (the
 * content security policy allows no inline script), `console.json` with what the gateway has to know, and compressed
 * twins.
 */
export function consoleAdapter(): Adapter {
  const files = staticAdapter({ pages: folder, assets: folder, fallback: "index.html" });
  return {
    name: "console",
    async adapt(builder: Builder) {
      await files.adapt(builder);
      await moveBootScript(builder.config.appDir);
      const segments = builder.routes.map(({ id }) => firstSegment(id));
      const manifest = {
        /** First path segments the console answers. */
        segments: [...new Set(segments)].sort(),
        /** Style attributes the policy has to allow: Kit's element for screen readers has one. */
        styles: await styleHashes(builder.config.appDir),
      };
      await writeFile(join(folder, "console.json"), `${JSON.stringify(manifest)}\n`);
      await builder.compress(folder);
      const weights = await scriptWeights(builder.config.outDir, folder);
      builder.log(describeWeights(weights));
      const heaviest = Math.max(...weights.map(({ bytes }) => bytes));
      if (heaviest > mostScriptBytes) {
        throw new Error(
          `Cannot accept the build: a page loads ${heaviest} bytes of script, at most ${mostScriptBytes} are allowed`,
        );
      }
    },
  };
}

/** `/(signed-in)/w/[workspace]` answers at `/w/...`. */
function firstSegment(id: string): string {
  return id.split("/").find((part) => part !== "" && !part.startsWith("(")) ?? "";
}

async function moveBootScript(appDir: string): Promise<void> {
  const page = join(folder, "index.html");
  const html = await readFile(page, "utf8");
  const inline = [...html.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)];
  if (inline.length !== 1) {
    throw new Error(`Cannot move the boot script: the page has ${inline.length} inline scripts`);
  }
  const [element, script] = inline[0]!;
  const hash = createHash("sha256").update(script!).digest("base64url").slice(0, 10);
  const file = `${appDir}/immutable/boot.${hash}.js`;
  await mkdir(join(folder, appDir, "immutable"), { recursive: true });
  await writeFile(join(folder, file), script!);
  // Kit mounts into the parent of the running script: the element stays where it is.
  await writeFile(page, html.replace(element, `<script src="/${file}"></script>`));
}

async function styleHashes(appDir: string): Promise<string[]> {
  const hashes = new Set<string>();
  const entries = await readdir(join(folder, appDir), { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries) {
    if (!name.endsWith(".js")) continue;
    const text = await readFile(join(parentPath, name), "utf8");
    for (const [, style] of text.matchAll(/<[a-z][^<>`]* style="([^"$`]+)"/g)) {
      hashes.add(`sha256-${createHash("sha256").update(style!).digest("base64")}`);
    }
  }
  return [...hashes].sort();
}
