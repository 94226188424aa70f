import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Instruction, parseContainerfile, type Stage } from "./containerfile.ts";

/*
 * Builds and runs the image's content without a container engine: every stage is a folder that stands for the root of
 * its file system, COPY copies, RUN runs there. The base image is represented by the Node that runs this test.
 */
const context = fileURLToPath(new URL("..", import.meta.url));
const stages = parseContainerfile(readFileSync(new URL("Containerfile", import.meta.url), "utf8"));
const image = stages.at(-1)!;
const folder = mkdtempSync(join(tmpdir(), "vmx-image-"));
const rootOf = (stage: Stage) => join(folder, stage.name ?? "image");
const asRoot = process.getuid?.() === 0;
/** The user that stands for the image's own, who owns nothing but the data folder. */
const user = asRoot ? "nobody" : userInfo().username;

beforeAll(() => {
  // The image's user must be able to walk down to the files.
  chmodSync(folder, 0o755);
  for (const stage of stages) build(stage);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the steps leave the gateway, its libraries and no development tools", () => {
  const app = join(rootOf(image), "app");
  expect(existsSync(join(app, "core/main.ts"))).toBe(true);
  expect(existsSync(join(app, "LICENSE"))).toBe(true);
  expect(existsSync(join(app, "admin/build/index.html"))).toBe(true);
  expect(existsSync(join(app, "node_modules/vite"))).toBe(false);
  expect(existsSync(join(app, "node_modules/koa"))).toBe(true);
  expect(existsSync(join(app, "node_modules/vitest"))).toBe(false);
  expect(existsSync(join(app, "node_modules/typescript"))).toBe(false);
  expect(existsSync(join(app, "node_modules/.bin/node"))).toBe(false);
});

test("the image alone serves with an embedded database, tells its health and stops cleanly", async () => {
  await runImage({});
});

test("the image serves on an external PostgreSQL", async () => {
  await runImage({
    DATABASE_URL: process.env["VMX_TEST_DATABASE_URL"]!,
    VMX_DATABASE_SCHEMA: `image_${randomBytes(6).toString("hex")}`,
  });
});

function build(stage: Stage): void {
  const root = rootOf(stage);
  mkdirSync(root, { recursive: true });
  let workdir = root;
  for (const instruction of stage.instructions) {
    if (instruction.word === "WORKDIR") {
      workdir = join(root, instruction.rest);
      mkdirSync(workdir, { recursive: true });
    }
    if (instruction.word === "COPY") copy(instruction, workdir);
    if (instruction.word === "RUN") {
      // Absolute paths mean this stage's root, and the image's user is ours.
      const command = instruction.rest
        .replace(/(?<=\s)\/(?=data\b)/g, `${root}/`)
        .replace("-o node -g node", asRoot ? "-o nobody -g nogroup" : "");
      execFileSync("sh", ["-ec", command], {
        cwd: workdir,
        env: buildEnvironment(),
        stdio: "pipe",
      });
    }
  }
}

function copy({ rest }: Instruction, workdir: string): void {
  const words = rest.split(/\s+/);
  const from = words[0]!.startsWith("--from=") ? words.shift()!.slice("--from=".length) : undefined;
  const source = from ? rootOf(stages.find((stage) => stage.name === from)!) : context;
  const target = words.pop()!;
  for (const path of words) {
    const origin = join(source, path);
    const isFile = statSync(origin).isFile();
    cpSync(origin, resolve(workdir, isFile ? join(target, path.split("/").at(-1)!) : target), {
      recursive: true,
      verbatimSymlinks: true,
      // As .dockerignore says.
      filter: (file) => from !== undefined || !file.includes("/node_modules"),
    });
  }
}

async function runImage(settings: Record<string, string>): Promise<void> {
  const root = rootOf(image);
  const port = String(await freePort());
  const environment = {
    ...baseEnvironment(),
    ...imageEnvironment(),
    // This is no container: stay on the loopback address.
    HOST: "127.0.0.1",
    PORT: port,
    DATA_DIR: join(root, "data"),
    ...settings,
  };
  const [command, ...args] = JSON.parse(last("CMD")) as [string, ...string[]];
  const options = { cwd: join(root, last("WORKDIR")), env: environment, ...identity() };
  const gateway = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  gateway.stdout.on("data", (chunk) => output += chunk);
  gateway.stderr.on("data", (chunk) => output += chunk);
  const ended = new Promise<number | null>((done) => gateway.once("exit", done));
  try {
    const deadline = Date.now() + 60_000;
    while (!await answers(`http://127.0.0.1:${port}/readyz`)) {
      if (gateway.exitCode !== null || Date.now() > deadline) throw new Error(output);
      await delay(100);
    }
    const [probe, ...probeArgs] = JSON.parse(last("HEALTHCHECK").replace(/^.*?CMD /, ""));
    execFileSync(probe, probeArgs, options);
    gateway.kill("SIGTERM");
    expect(await ended, output).toBe(0);
    expect(() => execFileSync(probe, probeArgs, { ...options, stdio: "pipe" })).toThrow();
  } finally {
    gateway.kill("SIGKILL");
  }
}

function last(word: string): string {
  return image.instructions.findLast((each) => each.word === word)!.rest;
}

function imageEnvironment(): Record<string, string> {
  const pairs = image.instructions.filter(({ word }) => word === "ENV")
    .flatMap(({ rest }) => rest.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string]));
}

/** Node and npm, and nothing of this checkout or of the settings around the test. */
function baseEnvironment(): Record<string, string> {
  const { HOME = "/", PATH = "" } = process.env;
  const foreign = PATH.split(delimiter).filter((part) => !part.includes("node_modules"));
  const tmp = join(folder, "tmp");
  mkdirSync(tmp, { recursive: true });
  chmodSync(tmp, 0o1777);
  return { HOME, TMPDIR: tmp, PATH: [dirname(process.execPath), ...foreign].join(delimiter) };
}

/** How npm reaches its registry on this machine, without what the npm that runs this test says about its own project. */
function buildEnvironment(): Record<string, string | undefined> {
  const own =
    /^(npm_(lifecycle|package|command|config_local_prefix)|INIT_CWD|NODE_ENV$|VMX_|VITEST)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), ...baseEnvironment() };
}

function identity(): { uid?: number; gid?: number } {
  if (!asRoot) return {};
  const number = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: number("-u"), gid: number("-g") };
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then((answer) => answer.ok, () => false);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
