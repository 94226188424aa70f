// Runs after `npm ci` and as `npm run build:console`: plain JavaScript for Node 20, which only starts the Node of the
// installation. Builds the console into admin/build unless nothing it is made of has changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "admin/build/sources");
const tools = join(root, "node_modules/vite/bin/vite.js");
const own = join(root, "node_modules/.bin/node");

if (!existsSync(tools)) {
  // An installation without development dependencies runs a console that was built elsewhere.
  process.exit(0);
}
const sources = hashOf(["package-lock.json", "admin", "sdk"]);
if (
  !process.argv.includes("--force") && existsSync(stamp) && readFileSync(stamp, "utf8") === sources
) {
  process.exit(0);
}
const startedAt = Date.now();
const built = spawnSync(existsSync(own) ? own : process.execPath, [
  tools,
  "build",
  "--logLevel",
  "warn",
], {
  cwd: join(root, "admin"),
  encoding: "utf8",
});
if (built.status !== 0) {
  console.error(
    `Cannot build the console:\n${built.stdout ?? ""}${built.stderr ?? built.error ?? ""}`,
  );
  process.exit(1);
}
writeFileSync(stamp, sources);
if (process.argv.includes("--force")) console.log(built.stdout.trim());
console.log(`Built the console in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);

/** @param {readonly string[]} paths */
function hashOf(paths) {
  const hash = createHash("sha256");
  const skipped = new Set(["build", "node_modules", ".svelte-kit", "screenshots"]);
  /** @param {string} path */
  const add = (path) => {
    const absolute = join(root, path);
    if (!existsSync(absolute)) return;
    if (!/\.\w+$/.test(path)) {
      for (const name of readdirSync(absolute).sort()) {
        if (!skipped.has(name)) add(`${path}/${name}`);
      }
    } else hash.update(path).update(readFileSync(absolute));
  };
  for (const path of paths) add(path);
  return hash.digest("hex");
}
