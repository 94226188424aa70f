import { execFile, spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stagePackages } from "../command/stage.ts";

/*
 * A stranger's provider, packed as an npm tarball in plain JavaScript, is installed with `npm install` and used with
 * no change to core: in a copy of this installation, and in an empty folder where the gateway comes from tarballs too.
 */

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const setUpMs = 180_000;
const callMs = 60_000;

/** An installation with the plugin in it. */
interface Installation {
  readonly folder: string;
  /** Path of core below it, and the extension of its modules. */
  readonly core: string;
  readonly extension: "ts" | "js";
}

const runtimes = {
  node: [process.execPath],
  deno: [join(root, "node_modules/.bin/deno"), "run", "-A", "--quiet"],
} as const;

let temporary: string;
let tarball: string;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), "vmx-third-party-"));
  // A database server that may not run as root must be able to read the folder.
  await chmod(temporary, 0o755);
  [tarball] = await pack([await writePlugin(join(temporary, "acme"))]) as [string];
}, setUpMs);

afterAll(() => rm(temporary, { recursive: true, force: true }), setUpMs);

describe("in a copy of the installation", () => {
  const installation: Installation = { folder: "", core: "core", extension: "ts" };
  beforeAll(async () => {
    Object.assign(installation, { folder: await copyInstallation("copy", [tarball]) });
  }, setUpMs);
  provesPlugin(installation);
});

describe("in an empty folder, gateway and plugin from tarballs", () => {
  const installation: Installation = {
    folder: "",
    core: "node_modules/@vmx/core",
    extension: "js",
  };
  beforeAll(async () => {
    const staged = await stagePackages(root, join(temporary, "stage"));
    const tarballs = [...await pack(staged), tarball];
    Object.assign(installation, { folder: await emptyInstallation("empty", tarballs) });
  }, setUpMs);
  provesPlugin(installation);

  test("the command line tells what it can do", async () => {
    const entry = join(installation.folder, installation.core, `main.${installation.extension}`);
    const { stdout } = await run(process.execPath, [entry, "create", "connection", "--help"]);
    expect(stdout).toContain("--allowed-models");
  }, callMs);

  test("no TypeScript source and no test is in a package", async () => {
    const names = await readdir(join(installation.folder, "node_modules/@vmx"), {
      recursive: true,
    });
    expect(names).toContain("core/main.js");
    expect(names.filter((name) => /(?<!\.d)\.ts$|\.test\./.test(name))).toEqual([]);
  });
});

function provesPlugin(installation: Installation): void {
  test.each(["node", "deno"] as const)("the host activates the plugin on %s", async (runtime) => {
    const answer = await callThroughHost(installation, runtime);
    expect(answer).toEqual({
      plugin: { source: "dependency", state: "active" },
      status: 200,
      text: "Acme heard: hello",
    });
  }, callMs);

  test.each(["node", "deno"] as const)("a caller reaches the plugin on %s", async (runtime) => {
    const answer = await callThroughGateway(installation, runtime);
    expect(answer).toMatchObject({
      model: "acme-large",
      choices: [{ message: { content: "Acme heard: hello" } }],
    });
  }, callMs);
}

/** Discovers, activates and calls the plugin with the installation's own plugin host. */
async function callThroughHost(
  { folder, core, extension }: Installation,
  runtime: keyof typeof runtimes,
): Promise<unknown> {
  const script = join(folder, "ask-host.mjs");
  await writeFile(
    script,
    `import { createPluginHost } from "./${core}/host/create-plugin-host.${extension}";
    const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };
    const host = await createPluginHost({
      root: import.meta.dirname, coreVersion: "0.1.0", environment: {}, log: quiet, fetch,
      http: {}, clock: { now: () => Date.now(), monotonic: () => performance.now() },
      signal: new AbortController().signal, dataDir: import.meta.dirname,
    });
    const provider = await host.get("providers", "acme");
    const request = { body: JSON.stringify({ messages: [{ role: "user", content: "hello" }] }) };
    const answer = await provider.send(request, { config: {} }, new AbortController().signal);
    const chunks = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    const { source, outcome } = host.plugins().find(({ id }) => id === "vmx-provider-acme");
    console.log(JSON.stringify({
      plugin: { source, state: outcome.state },
      status: answer.status,
      text: JSON.parse(Buffer.concat(chunks).toString()).choices[0].message.content,
    }));
    await host.dispose();`,
  );
  const [command, ...args] = runtimes[runtime];
  const { stdout } = await run(command, [...args, script], { cwd: folder });
  return JSON.parse(stdout);
}

/** Starts the installation's gateway, whose first run makes a resource for the plugin, and calls that. */
async function callThroughGateway(
  { folder, core, extension }: Installation,
  runtime: keyof typeof runtimes,
): Promise<unknown> {
  const apiKey = "third-party-test-key-0123456789abcdef";
  const [command, ...args] = runtimes[runtime];
  const child = spawn(command, [...args, join(folder, core, `main.${extension}`)], {
    cwd: folder,
    env: {
      ...process.env,
      PORT: "0",
      DATA_DIR: join(folder, `data-${runtime}`),
      LOG_FORMAT: "json",
      VMX_BOOTSTRAP_API_KEY: apiKey,
      ACME_API_KEY: "acme-secret-key",
    },
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let output = "";
      const read = (data: Buffer) => {
        output += data;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
        if (found) resolve(found);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", (data) => output += data);
      child.once("exit", () => reject(new Error(`The gateway ended: ${output}`)));
    });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "acme-default",
        messages: [{ role: "user", content: "hello" }],
      }),
    });
    return await response.json();
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}

async function writePlugin(folder: string): Promise<string> {
  await mkdir(folder);
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({
      name: "vmx-provider-acme",
      version: "1.0.0",
      type: "module",
      keywords: ["vmx-plugin"],
      engines: { vmx: "^0.1.0" },
      exports: { ".": "./index.js" },
      peerDependencies: { "@vmx/core": "^0.1.0", "@vmx/schemas": "^0.1.0" },
      contributes: {
        providers: [{
          id: "acme",
          label: "Acme",
          configuration: "./configuration.schema.json",
          defaultModel: "acme-large",
          operations: ["chat"],
          nativeDialects: ["openai-chat"],
          bootstrap: { environment: [{ variable: "ACME_API_KEY", field: "apiKey" }] },
        }],
      },
    }),
  );
  await writeFile(
    join(folder, "configuration.schema.json"),
    JSON.stringify({
      type: "object",
      properties: { apiKey: { type: "string", format: "secret" } },
      required: ["apiKey"],
      additionalProperties: false,
    }),
  );
  await writeFile(
    join(folder, "index.js"),
    `import { definePlugin, ProviderFailure } from "@vmx/core/contract";
    import { Secret } from "@vmx/core/kit";
    import { PluginManifest } from "@vmx/schemas";

    export default definePlugin({
      activate(context) {
        context.provide("providers", "acme", {
          operations: ["chat"],
          dialects: () => ["openai-chat"],
          async send(request, connection) {
            const { apiKey } = connection.config;
            const known = apiKey === undefined || apiKey instanceof Secret;
            if (!known || !PluginManifest) throw new ProviderFailure("refused", "foreign modules");
            const body = JSON.parse(request.body);
            const text = JSON.stringify({
              id: "acme-1", object: "chat.completion", created: 1, model: "acme-large",
              choices: [{
                index: 0, finish_reason: "stop",
                message: { role: "assistant", content: "Acme heard: " + body.messages.at(-1).content },
              }],
              usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 },
            });
            async function* chunks() {
              yield new TextEncoder().encode(text);
            }
            return {
              status: 200,
              headers: { "content-type": "application/json" },
              body: chunks(),
              framing: "json",
            };
          },
        });
      },
    });`,
  );
  return folder;
}

async function pack(folders: readonly string[]): Promise<string[]> {
  const target = join(temporary, "tarballs");
  await mkdir(target, { recursive: true });
  const { stdout } = await npm(
    ["pack", "--json", "--pack-destination", target, ...folders],
    temporary,
  );
  const packed: { filename: string }[] = Object.values(JSON.parse(stdout));
  return packed.map(({ filename }) => join(target, filename));
}

async function copyInstallation(name: string, tarballs: readonly string[]): Promise<string> {
  const folder = join(temporary, name);
  await mkdir(folder);
  const parts = [
    "schemas",
    "core",
    "sdk",
    "plugins",
    "package.json",
    "package-lock.json",
    "deno.json",
  ];
  for (const part of [...parts, ".npmrc"]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await copyLibraries(folder);
  await install(folder, tarballs);
  return folder;
}

async function emptyInstallation(name: string, tarballs: readonly string[]): Promise<string> {
  const folder = join(temporary, name);
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "mine", private: true }));
  // The libraries are there already, so that the test needs no registry; nothing of ours is.
  await copyLibraries(folder);
  for (const own of ["@vmx", ".bin"]) {
    await rm(join(folder, "node_modules", own), { recursive: true, force: true });
  }
  await install(folder, tarballs);
  return folder;
}

/** Hard links where the file system has them: half a gigabyte of copies takes its time. */
async function copyLibraries(folder: string): Promise<void> {
  const from = join(root, "node_modules");
  const to = join(folder, "node_modules");
  await run("cp", ["-al", from, folder]).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await run("cp", ["-a", from, folder]);
  });
  // The one file npm writes in place: through a hard link it would change the original.
  await rm(join(to, ".package-lock.json"), { force: true });
}

async function install(folder: string, tarballs: readonly string[]): Promise<void> {
  const quick = ["--offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await npm(["install", ...quick, ...tarballs], folder);
}

function npm(args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  return run("npm", args, { cwd });
}
