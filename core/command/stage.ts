import { spawn } from "node:child_process";
import { access, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { stagedManifest } from "./staged-manifest.ts";

/*
 * Writes each public package to the git-ignored folder `stage/<name>` as JavaScript with types, ready for
 * `npm pack`: nothing inside node_modules may be TypeScript.
 */

/** Sources that serve the repository alone. */
const repositoryOnly = [
  "schemas/generate.ts",
  "core/command/command-page.ts",
  "core/command/generate.ts",
  "core/command/metrics-page.ts",
  "core/command/stage.ts",
  "core/command/staged-manifest.ts",
  "core/corpus",
  "sdk/generate.ts",
  "sdk/every-operation.ts",
];
/** Tests, and files that only tests import. */
const testFiles = ["*.test.ts", "examples.ts", "testing.ts"];
const testFolders = new Set(["node_modules", "fixtures"]);

/**
 * Stages all public packages of a repository.
 *
 * @param root folder of the repository
 * @param target folder to write to; it is emptied first
 * @param only folder of the one package to stage, such as `sdk`; all when absent
 * @returns the staged folders, one per package
 */
export async function stagePackages(
  root: string,
  target: string,
  only?: string,
): Promise<string[]> {
  const build = join(target, ".build");
  await rm(target, { recursive: true, force: true });
  await mkdir(build, { recursive: true });
  const all = await publicFolders(root);
  const folders = only === undefined ? all : all.filter((folder) => folder === only);
  await compile(root, build, folders);
  const staged: string[] = [];
  for (const folder of folders) {
    const output = join(target, basename(folder));
    await rename(join(build, folder), output).catch(() => mkdir(output));
    await copyAssets(join(root, folder), output);
    await pointAtScripts(output);
    if (folder === "core") await copyConsole(root, output);
    const source = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
    const files = (await readdir(output)).filter((name) => name !== "package.json").sort();
    const manifest = stagedManifest(source, files);
    await writeFile(join(output, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    await cp(join(root, "LICENSE"), join(output, "LICENSE")).catch(() => {});
    staged.push(output);
  }
  await rm(build, { recursive: true });
  return staged;
}

async function publicFolders(root: string): Promise<string[]> {
  const plugins = await readdir(join(root, "plugins"), { withFileTypes: true });
  const folders = ["schemas", "core", "sdk"];
  for (const entry of plugins) if (entry.isDirectory()) folders.push(`plugins/${entry.name}`);
  const present = await Promise.all(folders.map(async (folder) => {
    const text = await readFile(join(root, folder, "package.json"), "utf8").catch(() => undefined);
    return text !== undefined && JSON.parse(text).private !== true;
  }));
  return folders.filter((_, index) => present[index]);
}

/** Types are checked by `npm run check`; here they are only written down. */
async function compile(root: string, build: string, folders: readonly string[]): Promise<void> {
  const settings = join(build, "tsconfig.json");
  const up = relative(build, root);
  await writeFile(
    settings,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        noCheck: true,
        declaration: true,
        rootDir: root,
        outDir: build,
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: folders.map((folder) => `${up}/${folder}/**/*.ts`),
      exclude: [
        ...folders.flatMap((folder) => [
          ...testFiles.map((name) => `${up}/${folder}/**/${name}`),
          `${up}/${folder}/node_modules`,
        ]),
        ...repositoryOnly.map((file) => `${up}/${file}`),
      ],
    }),
  );
  const require = createRequire(join(root, "package.json"));
  const compiler = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  await run(process.execPath, [compiler, "--project", settings], root);
  await rm(settings);
}

/** JSON files, logos and whatever else lies beside the sources. */
async function copyAssets(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    force: true,
    filter(path) {
      const inner = relative(from, path);
      if (inner.split(sep).some((part) => testFolders.has(part) || part.startsWith("."))) {
        return false;
      }
      return extname(path) !== ".ts" && basename(path) !== "package.json";
    },
  });
}

/** The console travels with the gateway that serves it; `core/http` looks for it there. */
async function copyConsole(root: string, to: string): Promise<void> {
  const built = join(root, "admin/build");
  await access(join(built, "index.html")).catch(() => {
    throw new Error("Cannot stage core: the console is not built (npm run build:console)");
  });
  await cp(built, join(to, "console"), { recursive: true });
}

/** The compiler leaves `.ts` in declarations and in some dynamic imports. */
async function pointAtScripts(folder: string): Promise<void> {
  const declared = /((?:\bfrom|\bimport\()\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g;
  const dynamic = /(\bimport\(\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const pattern = entry.name.endsWith(".d.ts") ? declared : dynamic;
    if (!entry.isFile() || !/\.(d\.ts|js)$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file, "utf8");
    const pointed = text.replace(pattern, "$1.js$2");
    if (pointed !== text) await writeFile(file, pointed);
  }
}

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data) => output += data);
    child.stderr.on("data", (data) => output += data);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`Cannot compile the packages: ${output.trim()}`));
    });
  });
}

/** Weight of a staged package's scripts in bytes, gzip. */
export async function scriptBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const scripts = entries.filter((name) => name.endsWith(".js"));
  const texts = await Promise.all(scripts.map((name) => readFile(join(folder, name))));
  return gzipSync(Buffer.concat(texts)).length;
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const staged = await stagePackages(root, join(root, "stage"));
  console.log(`Staged ${staged.map((folder) => relative(root, folder)).join(", ")}`);
  const bytes = await scriptBytes(join(root, "stage/sdk"));
  console.log(`The client's scripts weigh ${(bytes / 1_000).toFixed(1)} KB, gzip`);
}
