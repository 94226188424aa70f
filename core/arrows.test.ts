import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/*
 * Who may import whom:
 *
 *   schemas  <--  core/contract  <--  core/kit  <--  plugins/*
 *                                      tests may also import core/conformance
 *   sdk  <--  admin, core/command
 *
 * Core loads plugins at run time and names no vendor.
 */

const root = fileURLToPath(new URL("..", import.meta.url));
const rooms = ["schemas", "core", "plugins", "sdk", "admin"];
const unread = new Set(["node_modules", "build", "dist", "stage", "json", ".svelte-kit"]);

/** Files of core that may name a vendor, and why. */
const mayNameVendors: Readonly<Record<string, string>> = {
  "core/default-plugins.ts": "the default plugin list",
  "core/kit/egress.ts": "names of metadata services that must never be called",
  "core/kit/egress-addresses.ts": "addresses of metadata services that must never be called",
};
const vendors =
  /openai|anthropic|gemini|groq|bedrock|\baws|redis|questdb|timestream|azure|ollama|mistral|cohere|libsodium/i;

/** Names of headers and framings as they stand on the wire. */
const wireWords = /anthropic-(version|beta)|aws-eventstream/g;

/** Folders of core that may import a library; any folder may import those not listed. */
const knownTo: Readonly<Record<string, readonly string[]>> = {
  koa: ["core/http"],
  "@koa/router": ["core/http"],
  vitest: ["core/conformance"],
};

const files = (await Promise.all(rooms.map((room) => sources(join(root, room))))).flat();
const packages = new Map<string, PackageJson>();
for (const folder of ["", "schemas", "core", "sdk", "admin", ...await plugins()]) {
  const text = await readFile(join(root, folder, "package.json"), "utf8").catch(() => undefined);
  if (text !== undefined) packages.set(folder, JSON.parse(text));
}

test("every import follows the arrows", async () => {
  expect(files.length).toBeGreaterThan(50);
  const wrong: string[] = [];
  for (const file of files) {
    for (const specifier of importsOf(await readFile(join(root, file), "utf8"))) {
      const reason = refusal(file, specifier);
      if (reason) wrong.push(`${file} imports ${specifier}: ${reason}`);
    }
  }
  expect(wrong).toEqual([]);
});

test.each([
  ["schemas/src/a.ts", "@vmx/core/contract"],
  ["schemas/src/a.ts", "../../core/contract/index.ts"],
  ["core/contract/a.ts", "../kit/index.ts"],
  ["core/contract/a.ts", "koa"],
  ["core/kit/a.ts", "../host/plugin-host.ts"],
  ["core/conformance/a.ts", "../gateway/pipeline.ts"],
  ["core/gateway/a.ts", "../../plugins/provider-echo/index.ts"],
  ["core/gateway/a.ts", "@vmx/provider-echo"],
  ["core/gateway/a.ts", "koa"],
  ["core/gateway/a.ts", "@mikro-orm/postgresql"],
  ["core/management/a.ts", "not-in-package-json"],
  ["plugins/provider-echo/a.ts", "@vmx/core"],
  ["plugins/provider-echo/a.ts", "../../core/contract/index.ts"],
  ["plugins/provider-echo/a.ts", "../provider-openai/index.ts"],
  ["plugins/provider-echo/a.ts", "@vmx/provider-openai"],
  ["plugins/provider-echo/a.ts", "@vmx/core/conformance"],
  ["plugins/provider-echo/a.ts", "openai"],
  ["admin/src/a.ts", "@vmx/core/contract"],
  ["sdk/a.ts", "@vmx/schemas"],
  ["sdk/a.ts", "../core/kernel.ts"],
  ["sdk/a.ts", "@hey-api/openapi-ts"],
  ["core/management/a.ts", "@vmx/sdk"],
])("%s may not import %s", (file, specifier) => {
  expect(refusal(file, specifier)).toBeDefined();
});

test.each([
  ["core/contract/a.test.ts", "vitest"],
  ["core/kit/a.ts", "../contract/index.ts"],
  ["core/host/a.ts", "@vmx/schemas"],
  ["core/conformance/a.ts", "@vmx/schemas/json/call.schema.json"],
  ["core/http/a.ts", "koa"],
  ["plugins/provider-echo/a.ts", "@vmx/core/kit"],
  ["plugins/provider-echo/a.test.ts", "@vmx/core/conformance"],
  ["plugins/provider-openai/a.ts", "openai"],
  ["admin/src/a.ts", "@vmx/sdk"],
  ["core/command/a.ts", "@vmx/sdk"],
  ["sdk/a.test.ts", "../core/management/testing.ts"],
  ["sdk/generate.ts", "@hey-api/openapi-ts"],
])("%s may import %s", (file, specifier) => {
  expect(refusal(file, specifier)).toBeUndefined();
});

test("core names no vendor outside the default plugin list", async () => {
  const named: string[] = [];
  for (const file of files) {
    const isMaterial = isTest(file) || /^core\/(conformance|corpus)\//.test(file);
    if (!file.startsWith("core/") || isMaterial || file in mayNameVendors) continue;
    const lines = (await readFile(join(root, file), "utf8")).split("\n");
    lines.forEach((line, index) => {
      const word = vendors.exec(line.replace(wireWords, ""))?.[0];
      if (word) named.push(`${file}:${index + 1} names "${word}"`);
    });
  }
  expect(named).toEqual([]);
});

test("no folder is an attic", () => {
  const folders = new Set(files.flatMap((file) => dirname(file).split("/")));
  const attics = ["common", "shared", "utils", "util", "helpers", "scripts", "misc"];
  expect(attics.filter((name) => folders.has(name))).toEqual([]);
});

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Why a file may not import a module, or undefined when it may. */
function refusal(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  const home = homeOf(file);
  if (/^\.{1,2}\//.test(specifier)) {
    const target = relative(root, resolve(root, dirname(file), specifier));
    if (isTest(file) && room(file) === "core" && target.startsWith("core/conformance/")) {
      return undefined;
    }
    // The client's tests start a gateway to talk to, and pack the client; the console's start an identity provider.
    if (
      isTest(file) && ["sdk", "admin"].includes(room(file)) &&
      /^core\/(.*\/testing|command\/stage)\.ts$/.test(target)
    ) {
      return undefined;
    }
    return home.reaches.some((folder) => target.startsWith(`${folder}/`))
      ? undefined
      : `${home.name} reaches ${home.reaches.join(", ")}`;
  }
  if (specifier.startsWith("@vmx/")) {
    if (home.doors.includes(specifier)) return undefined;
    // The published files say the same as the constants behind the door.
    const published = /^@vmx\/schemas\/(json\/|openapi\.json$)/.test(specifier);
    if (published && home.doors.includes("@vmx/schemas")) {
      return undefined;
    }
    if (isTest(file) && specifier === "@vmx/core/conformance" && home.isPlugin) return undefined;
    const plugin = specifier.split("/").slice(0, 2).join("/");
    return home.isPlugin && home.dependencies.has(plugin) && plugin !== "@vmx/core"
      ? undefined
      : `${home.name} may import ${home.doors.join(", ") || "nothing of ours"}`;
  }
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  if (home.name === "core/contract" && !isTest(file)) return "the contract imports no library";
  const knownFolders = isTest(file) ? undefined : knownTo[name];
  if (knownFolders && !knownFolders.some((folder) => file.startsWith(`${folder}/`))) {
    return `${name} is known to ${knownFolders.join(", ")} alone`;
  }
  if (file.startsWith("core/gateway/") && !isTest(file) && name.startsWith("@mikro-orm/")) {
    return "no database on the data path";
  }
  if (home.dependencies.has(name)) return undefined;
  // What writes the generated code is no part of the package.
  const ownDevelopment = packages.get(room(file))?.devDependencies ?? {};
  if ((file === "sdk/generate.ts" || isTest(file)) && name in ownDevelopment) return undefined;
  // The suites run under the plugin author's own runner.
  if (name === "vitest" && home.name === "core/conformance") return undefined;
  const development = packages.get("")?.devDependencies ?? {};
  if (isTest(file) && (name in development || hasDependency("core", name))) return undefined;
  // The console has a toolchain of its own.
  return home.name === "admin" ? undefined : `${home.name}'s package.json does not name it`;
}

interface Home {
  readonly name: string;
  readonly isPlugin: boolean;
  /** Folders relative imports may lead into. */
  readonly reaches: readonly string[];
  /** Our packages it may import. */
  readonly doors: readonly string[];
  /** Libraries its package.json names. */
  readonly dependencies: ReadonlySet<string>;
}

function homeOf(file: string): Home {
  const [room = "", part = ""] = file.split("/");
  const home = (name: string, reaches: string[], doors: string[], isPlugin = false): Home => {
    const manifest = packages.get(isPlugin ? name : room);
    const dependencies = new Set(
      Object.keys({ ...manifest?.dependencies, ...manifest?.peerDependencies }),
    );
    return { name, isPlugin, reaches, doors, dependencies };
  };
  if (room === "schemas") return home("schemas", ["schemas"], []);
  if (room === "sdk") return home("sdk", ["sdk"], []);
  if (room === "admin") return home("admin", ["admin"], ["@vmx/sdk"]);
  if (room === "plugins") {
    const doors = ["@vmx/schemas", "@vmx/core/contract", "@vmx/core/kit"];
    return home(`plugins/${part}`, [`plugins/${part}`], doors, true);
  }
  if (part === "contract") return home("core/contract", ["core/contract"], ["@vmx/schemas"]);
  if (part === "kit") {
    return home("core/kit", ["core/kit", "core/contract"], ["@vmx/schemas"]);
  }
  if (part === "conformance") {
    return home("core/conformance", ["core/conformance", "core/kit", "core/contract"], [
      "@vmx/schemas",
    ]);
  }
  // The commands that write what is derived stand above both rooms.
  const reaches = part === "command" ? ["core", "schemas"] : ["core"];
  const doors = ["@vmx/schemas", "@vmx/core/contract", "@vmx/core/kit"];
  // What the command line asks of a gateway goes through the client.
  return home("core", reaches, part === "command" ? [...doors, "@vmx/sdk"] : doors);
}

function hasDependency(folder: string, name: string): boolean {
  return name in (packages.get(folder)?.dependencies ?? {});
}

function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const pattern =
    /^(?:import|export)\s[^"`;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...code.matchAll(pattern)].map(([, named, bare, dynamic]) => (named ?? bare ?? dynamic)!);
}

function room(file: string): string {
  return file.split("/")[0]!;
}

/** Tests, and files that only tests import. */
function isTest(file: string): boolean {
  return /(\.test|\/examples|\/testing)\.ts$|^admin\/tests\//.test(file);
}

async function plugins(): Promise<string[]> {
  const entries = await readdir(join(root, "plugins"), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `plugins/${name}`);
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(entries.map((entry) => {
    if (entry.isDirectory()) {
      return unread.has(entry.name) ? [] : sources(join(folder, entry.name));
    }
    return /\.(ts|svelte)$/.test(entry.name) ? [relative(root, join(folder, entry.name))] : [];
  }));
  return nested.flat();
}
