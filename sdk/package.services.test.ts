import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publint } from "publint";
import { scriptBytes, stagePackages } from "../core/command/stage.ts";

/* The packed package, installed in an empty folder as a stranger installs it. */

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => join(root, "node_modules/.bin", name);
let temporary: string;
let staged: string;
let project: string;
let gateway: Server;
let baseUrl: string;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), "vmx-sdk-"));
  [staged] = await stagePackages(root, join(temporary, "stage"), "sdk") as [string];
  const { stdout } = await run("npm", ["pack", "--json", staged], { cwd: temporary });
  const [{ filename }] = Object.values(JSON.parse(stdout)) as [{ filename: string }];
  project = join(temporary, "project");
  await mkdir(project);
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }');
  const quick = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...quick, join(temporary, filename)], { cwd: project });
  await writeFile(
    join(project, "ask.ts"),
    `import { NotFoundError, Vmx, type Workspace } from "@vmx/sdk";
    const vmx = new Vmx();
    const names: string[] = [];
    for await (const workspace of vmx.workspaces.list()) names.push((workspace satisfies Workspace).name);
    const missing = await vmx.workspaces.get("nope").catch((error: unknown) => error);
    console.log(JSON.stringify({ names, notFound: missing instanceof NotFoundError }));`,
  );
  gateway = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    const known = request.headers.authorization === "Bearer vmx_pat_test";
    response.end(JSON.stringify({ data: known ? [{ name: "prod" }] : [] }));
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
}, 60_000);

afterAll(async () => {
  gateway.close();
  await rm(temporary, { recursive: true, force: true });
});

test.each([
  ["Node", process.execPath, []],
  ["Deno", bin("deno"), ["run", "--quiet", "--allow-net", "--allow-env"]],
])("a script in a fresh folder uses it on %s", async (_, command, args) => {
  const { stdout } = await run(command, [...args, "ask.ts"], {
    cwd: project,
    env: { ...process.env, VMX_BASE_URL: baseUrl, VMX_TOKEN: "vmx_pat_test" },
  });
  expect(JSON.parse(stdout)).toEqual({ names: ["prod"], notFound: true });
});

test("its types are understood by a strict project, without Node's", async () => {
  const settings = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: "ES2023",
      lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
      module: "NodeNext",
      types: [],
      skipLibCheck: false,
    },
    files: ["ask.ts"],
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(settings));
  const { stdout } = await run(bin("tsc"), ["--project", project]).catch((error) => error);
  expect(stdout).toBe("");
});

test("bundlers and registries find nothing to complain about", async () => {
  const { messages } = await publint({ pkgDir: staged, strict: true });
  expect(messages.map(({ code }) => code)).toEqual([]);
});

test("it holds JavaScript and types alone, needs nothing, and weighs less than 40 KB", async () => {
  const manifest = JSON.parse(await readFile(join(staged, "package.json"), "utf8"));
  expect(manifest.dependencies).toBeUndefined();
  const entries = await readdir(staged, { recursive: true });
  const sources = entries.filter((name) =>
    /(?<!\.d)\.ts$|testing|generate\.|every-operation/.test(name)
  );
  expect(sources).toEqual([]);
  const bytes = await scriptBytes(staged);
  console.log(`The client's scripts weigh ${(bytes / 1_000).toFixed(1)} KB, gzip`);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(40_000);
});
