import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../core/config.ts";
import {
  contributionPoints,
  errorTable,
  routingFunctions,
  routingVariables,
} from "../core/contract/index.ts";

/* The documents make promises; these tests keep them. */

interface Contribution {
  readonly id: string;
  readonly selectedBy?: readonly string[];
  readonly bootstrap?: { readonly environment?: readonly { readonly variable: string }[] };
}

interface Manifest {
  readonly name: string;
  readonly contributes:
    & { readonly [point: string]: readonly Contribution[] | undefined }
    & { readonly settings?: { readonly environment?: Readonly<Record<string, string>> } };
}

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const folder = mkdtempSync(join(tmpdir(), "vmx-documents-"));
afterAll(() => rmSync(folder, { recursive: true }));

const manifests = readdirSync(join(root, "plugins"))
  .filter((name) => existsSync(join(root, "plugins", name, "package.json")))
  .map((name) => JSON.parse(read(`plugins/${name}/package.json`)) as Manifest);
const { dependencies, scripts } = JSON.parse(read("package.json"));
/** A plugin has to be in the documents once the installation depends on it; before that it may be. */
const shipped = manifests.filter(({ name }) => Object.hasOwn(dependencies, name));

test.each(documents)("every link to a file in %s leads somewhere", (document) => {
  for (const [, target = ""] of read(document).matchAll(/\]\((?!\w+:)([^)#]+)[^)]*\)/g)) {
    expect(existsSync(resolve(root, dirname(document), target)), target).toBe(true);
  }
});

test.each(documents)("every npm script and Deno task in %s exists", (document) => {
  const { tasks } = JSON.parse(read("deno.json"));
  for (
    const [, name = ""] of read(document).matchAll(/npm (?:run )?(start|test|[a-z]+:?[a-z]*)\b/g)
  ) {
    if (["ci", "install", "pack"].includes(name)) continue;
    // Sentences about npm itself.
    if (!Object.hasOwn(scripts, name)) expect(read(document)).not.toContain(`npm run ${name}`);
  }
  for (const [, name = ""] of read(document).matchAll(/deno task ([a-z]+)/g)) {
    expect(tasks).toHaveProperty(name);
  }
});

test("docs/configuration.md names every variable that is read, and no other", () => {
  const named = read("docs/configuration.md").match(/`[A-Z][A-Z0-9]*(_[A-Z0-9]+)*`/g) ?? [];
  const inDocument = new Set(named.map((name) => name.slice(1, -1)));
  // Words in backticks that are no settings of the gateway.
  for (const other of ["PATH", "VMX_", "GET"]) inDocument.delete(other);
  const ofCore = loadConfig({}, root).variables;
  const must = [...ofCore, ...shipped.flatMap(variablesOf)];
  const may = new Set([...ofCore, ...manifests.flatMap(variablesOf)]);
  expect(must.filter((name) => !inDocument.has(name))).toEqual([]);
  expect([...inDocument].filter((name) => !may.has(name))).toEqual([]);
});

test("docs/errors.md lists every error code under its status, says what falls back, and names no other", () => {
  const [ofCalls = "", ofManagement = ""] = read("docs/errors.md").split(
    "## Of the management API",
  );
  const rows = (text: string) =>
    text.split("\n").flatMap((line) => {
      const [, status, codes = "", next = ""] =
        /^\| (\d{3}) \| ([^|]*) \|(?: (yes|no) \|)?/.exec(line) ?? [];
      const named = codes.match(/(?<=`)[A-Za-z_]+(?=`)/g) ?? [];
      return status ? named.map((code) => ({ code, status: Number(status), next })) : [];
    }).filter(({ code }) => code !== "currentVersion");
  const [calls, management] = [rows(ofCalls), rows(ofManagement)];
  const table = Object.entries(errorTable);
  for (const { code, status } of [...calls, ...management]) {
    expect(Object.fromEntries(table)[code]?.status, code).toBe(status);
  }
  for (const { code, next } of calls) {
    expect(next, code).toBe("fallsBack" in Object.fromEntries(table)[code]! ? "yes" : "no");
  }
  const listed = new Set([...calls, ...management].map(({ code }) => code));
  expect(table.map(([code]) => code).filter((code) => !listed.has(code))).toEqual([]);
});

test("docs/routing.md tells every variable and function that rules can use", () => {
  const text = read("docs/routing.md").split("## What rules can read")[1]!;
  const missing = [...Object.keys(routingVariables), ...Object.keys(routingFunctions)]
    .filter((name) => !new RegExp("`" + name + "[`.(]").test(text));
  expect(missing).toEqual([]);
});

test("docs/providers.md has a row for every provider, with its required fields and its default model", () => {
  const rows = read("docs/providers.md").split("\n");
  for (const { name, contributes } of shipped) {
    for (const provider of contributes["providers"] ?? []) {
      const { id, configuration, defaultModel = "–" } = provider as typeof provider & {
        readonly configuration: string;
        readonly defaultModel?: string;
      };
      const row = rows.find((line) => line.startsWith(`| \`${id}\` |`));
      expect(row, id).toContain(defaultModel);
      const folder = name.replace("@vmx/", "plugins/");
      for (const field of JSON.parse(read(join(folder, configuration))).required ?? []) {
        expect(row, id).toContain(`\`${field}\``);
      }
    }
  }
});

test("docs/architecture.md lists what each contribution point holds", () => {
  const rows = read("docs/architecture.md").split("\n");
  for (const point of contributionPoints) {
    const row = rows.find((line) => line.startsWith(`| \`${point}\` |`)) ?? "";
    const listed = row.split("|").at(-2)?.match(/`[^`]+`/g)?.map((id) => id.slice(1, -1)) ?? [];
    const idsIn = (list: readonly Manifest[]) =>
      list.flatMap(({ contributes }) => contributes[point] ?? []).map(({ id }) => id);
    expect(listed, point).toEqual(expect.arrayContaining(idsIn(shipped)));
    expect(idsIn(manifests), point).toEqual(expect.arrayContaining(listed));
  }
});

test(
  "the plugins that docs/plugins.md builds are accepted by the host and pass the conformance suites",
  async () => {
    const folders = { file: "plugins/provider-acme", routing: "plugins/routing-equals" };
    for (const name of Object.values(folders)) mkdirSync(join(folder, name), { recursive: true });
    const blocks = read("docs/plugins.md")
      .matchAll(/<!-- (file|routing): (\S+) -->\n```\w+\n([^]*?)\n```/g);
    for (const [, kind, name = "", text = ""] of blocks) {
      writeFileSync(join(folder, folders[kind as keyof typeof folders], name), text);
    }
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

    const program = `
    import { loadConfig } from "${root}core/config.ts";
    import { createPluginHost } from "${root}core/host/create-plugin-host.ts";
    const log = { debug() {}, info() {}, warn: console.error, error: console.error, named: () => log };
    const host = await createPluginHost({ root: process.cwd(), coreVersion: "0.1.0", environment: {}, log,
      clock: { now: Date.now, monotonic: () => performance.now() }, dataDir: process.cwd(),
      signal: new AbortController().signal });
    const provider = await host.get("providers", "acme");
    const evaluator = await host.get("routings", "equals");
    console.log(host.variables().join(), typeof provider.send, typeof evaluator.compile);
  `;
    const accepted = run(process.execPath, ["--input-type=module", "-e", program]);
    expect(accepted).toBe("ACME_API_KEY function function\n");

    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    run(process.execPath, [vitest, "run", "--reporter=json", "--outputFile=report.json"]);
    const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
    expect(report.numFailedTests).toBe(0);
    expect(report.numPassedTests).toBeGreaterThan(22);
    expect(report.numTotalTestSuites).toBeGreaterThan(1);
  },
  60_000,
);

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
}

function variablesOf({ contributes }: Manifest): string[] {
  const ofConnections = (contributes["providers"] ?? []).flatMap(({ bootstrap }) =>
    (bootstrap?.environment ?? []).map(({ variable }) => variable)
  );
  const { settings, ...points } = contributes;
  const selecting = Object.values(points as Record<string, readonly Contribution[] | undefined>)
    .flatMap((list = []) => list.flatMap(({ selectedBy = [] }) => selectedBy));
  return [...Object.keys(settings?.environment ?? {}), ...selecting, ...ofConnections];
}
