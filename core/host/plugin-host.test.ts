import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { GatewayError, Log } from "../contract/index.ts";
import { createPluginHost, type PluginHostOptions } from "./create-plugin-host.ts";
import { StartError } from "../start-error.ts";
import { requireContribution, selectContribution } from "./select.ts";

let root: string;
let lines: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "vmx-host-"));
  lines = [];
});

afterEach(() => rm(root, { recursive: true, force: true }));

test("plugins are found in plugins, in direct dependencies and in named folders, in this order", async () => {
  await plugin("extra/one", { name: "one", id: "one" });
  await plugin("lib/two", { name: "two", id: "two" });
  await plugin("node_modules/@acme/dep", { name: "@acme/dep", id: "dep" });
  await plugin("node_modules/indirect", { name: "indirect", id: "indirect" });
  await write("node_modules/plain/package.json", { name: "plain", version: "1.0.0" });
  await plugin("plugins/own", { name: "own", id: "own" });
  await write("plugins/notes.txt", {});
  await mkdir(join(root, "plugins/empty"));
  await write("package.json", {
    dependencies: { plain: "1", "@acme/dep": "1", "not-installed": "1" },
  });
  await using host = await start({ folders: ["extra/one", "lib"] });
  expect(host.plugins().map(({ id, source }) => `${id} ${source}`)).toEqual([
    "own folder",
    "@acme/dep dependency",
    "one folder",
    "two folder",
  ]);
  expect(host.contributions("providers").map(({ id }) => id)).toEqual(["own", "dep", "one", "two"]);
});

test("a workspace linked into node_modules is the same plugin, not a second one", async () => {
  await plugin("plugins/own", { name: "own", id: "own" });
  await mkdir(join(root, "node_modules"));
  await symlink(join(root, "plugins/own"), join(root, "node_modules/own"));
  await write("package.json", { dependencies: { own: "1" } });
  await using host = await start();
  expect(host.plugins()).toHaveLength(1);
});

test("nothing is imported before the first need", async () => {
  await plugin("plugins/a", { name: "a", id: "a", code: "throw new Error('imported');" });
  await using host = await start();
  expect(host.plugins()[0]?.outcome).toEqual({ state: "idle" });
  expect(host.active("providers", "a")).toBeUndefined();
  await expect(host.get("providers", "a")).rejects.toThrow(
    'Cannot use provider "a": Cannot load plugin "a": imported',
  );
  expect(host.plugins()[0]?.outcome).toMatchObject({
    state: "failed",
    stage: "load",
    error: "imported",
  });
});

test("the first need activates a plugin once, by id or alias", async () => {
  await plugin("plugins/a", {
    name: "a",
    id: "a",
    entry: { aliases: ["alpha"] },
    code: `globalThis.activations = 0;
      export default { activate(c) { globalThis.activations++; c.provide("providers", "a", ${provider}); } };`,
  });
  await using host = await start();
  const [one, two] = await Promise.all([
    host.get("providers", "a"),
    host.get("providers", "alpha"),
  ]);
  expect(one).toBe(two);
  expect(host.active("providers", "alpha")).toBe(one);
  expect((globalThis as Record<string, unknown>).activations).toBe(1);
  expect(host.plugins()[0]?.outcome.state).toBe("active");
});

test("an unknown contribution is named", async () => {
  await using host = await start();
  const error = await host.get("dialects", "morse").catch((error) => error as GatewayError);
  expect(error).toMatchObject({
    code: "PLUGIN_NOT_FOUND",
    message: 'Cannot find dialect "morse": no plugin provides it',
  });
});

test("a broken manifest fails its plugin alone and names package and field", async () => {
  await plugin("plugins/good", { name: "good", id: "good" });
  const broken: Record<string, [Record<string, unknown>, string]> = {
    id: [
      { contributes: { providers: [{ ...entry("x"), id: "X y" }] } },
      "contributes.providers[0].id",
    ],
    extra: [
      { contributes: { providers: [{ ...entry("x"), colour: 1 }] } },
      "contributes.providers[0].colour is not known here",
    ],
    point: [{ contributes: { provider: [] } }, "contributes.provider is not known here"],
    engine: [
      { engines: { vmx: "^9.0.0" } },
      'engines.vmx "^9.0.0" does not include this gateway\'s version 0.1.0',
    ],
    range: [{ engines: { vmx: "newest" } }, 'engines.vmx "newest" is not a range'],
    none: [{ engines: {} }, "engines.vmx is required"],
    schema: [
      { contributes: { providers: [{ ...entry("x"), configuration: "./no.json" }] } },
      'contributes.providers[0].configuration "./no.json" does not exist',
    ],
    scheme: [
      { contributes: { providers: [{ ...entry("x"), configuration: "./bad.schema.json" }] } },
      'configuration "./bad.schema.json" is not a valid JSON Schema: schema is invalid: ' +
      "data/properties/apiKey/type must be equal to one of the allowed values",
    ],
    variable: [{
      contributes: {
        providers: [{
          ...entry("x"),
          configuration: "./good.schema.json",
          bootstrap: { environment: [{ variable: "ACME_API_KEY", field: "key" }] },
        }],
      },
    }, 'bootstrap fills "key" from ACME_API_KEY, but the configuration has apiKey'],
    outside: [{
      contributes: { providers: [{ ...entry("x"), configuration: "./../good/package.json" }] },
    }, "contributes.providers[0].configuration must match"],
  };
  for (const [name, [members]] of Object.entries(broken)) {
    await plugin(`plugins/${name}`, { name, id: name, members });
  }
  await write("plugins/text/package.json", "{");
  const schema = (type: string) => ({ type: "object", properties: { apiKey: { type } } });
  await write("plugins/scheme/bad.schema.json", schema("strin"));
  await write("plugins/variable/good.schema.json", schema("string"));
  await using host = await start();
  for (const [name, [, part]] of Object.entries(broken)) {
    const outcome = host.plugins().find(({ id }) => id === name)?.outcome;
    expect(outcome).toMatchObject({ state: "failed", stage: "manifest" });
    const error = outcome?.state === "failed" ? outcome.error : "";
    expect(error).toContain(`Cannot read the manifest of plugin "${name}": `);
    expect(error).toContain(part);
    expect(lines).toContain(error);
  }
  expect(lines.join()).toContain('plugin "text": its package.json: it is not valid JSON');
  await host.get("providers", "good");
});

test("two plugins that claim one id or alias stop the start, both named", async () => {
  await plugin("plugins/a", { name: "a", id: "same" });
  await plugin("plugins/b", { name: "b", id: "other", entry: { aliases: ["same"] } });
  await expect(start()).rejects.toThrow(
    'Cannot start: plugins "a" (plugins/a) and "b" (plugins/b) both claim provider "same"',
  );
});

test("an activation that never ends fails after its deadline and cannot provide any more", async () => {
  await plugin("plugins/slow", {
    name: "slow",
    id: "slow",
    code: `export default { async activate(c) {
      c.onDispose(() => { globalThis.slowDisposed = true; });
      await new Promise((resolve) => { globalThis.slowGoOn = resolve; });
      try { c.provide("providers", "slow", ${provider}); }
      catch (error) { globalThis.slowRefused = error.message; }
    } };`,
  });
  await using host = await start({ timeoutMs: 500 });
  await expect(host.get("providers", "slow")).rejects.toThrow(
    'Cannot activate plugin "slow": it did not finish within 500 ms',
  );
  const seen = globalThis as Record<string, unknown>;
  expect(seen.slowDisposed).toBe(true);
  (seen.slowGoOn as () => void)();
  await expect.poll(() => seen.slowRefused).toBe(
    'Cannot provide provider "slow": the activation has ended',
  );
  expect(host.active("providers", "slow")).toBeUndefined();
});

test("what the manifest announces and what the plugin provides must agree", async () => {
  const cases: Record<string, [string, string]> = {
    nothing: ["", 'it did not provide provider "nothing"'],
    other: [
      `c.provide("providers", "x", ${provider});`,
      'provider "x": the manifest does not announce it',
    ],
    partial: [
      `c.provide("providers", "partial", { operations: [] });`,
      "it lacks dialects(), send()",
    ],
    twice: [
      `c.provide("providers", "twice", ${provider}); c.provide("providers", "twice", ${provider});`,
      "it is provided already",
    ],
  };
  for (const [name, [code]] of Object.entries(cases)) {
    await plugin(`plugins/${name}`, {
      name,
      id: name,
      code: `export default { activate(c) { ${code} } };`,
    });
  }
  await plugin("plugins/shapeless", {
    name: "shapeless",
    id: "shapeless",
    code: "export const a = 1;",
  });
  await using host = await start();
  for (const [name, [, part]] of Object.entries(cases)) {
    await expect(host.get("providers", name)).rejects.toThrow(part);
  }
  await expect(host.get("providers", "shapeless")).rejects.toThrow("has no definePlugin");
});

test("TypeScript inside node_modules is refused in a plain sentence", async () => {
  await plugin("node_modules/typed", { name: "typed", id: "typed", file: "index.ts" });
  await write("package.json", { dependencies: { typed: "1" } });
  await using host = await start();
  await expect(host.get("providers", "typed")).rejects.toThrow(
    'its entry "index.ts" is TypeScript inside node_modules, which no runtime runs; ' +
      "publish the plugin as JavaScript",
  );
});

test("settings come from storage and, over it, from the variables the manifest names", async () => {
  await settingsPlugin();
  await using host = await start({
    environment: { ACME_KEY: "k-from-environment", ACME_LIMIT: "7", ACME_REGIONS: "a, b" },
    settings: () =>
      Promise.resolve({
        sealed: {},
        opened: { key: "k-stored", label: "stored" },
        secrets: ["k-stored"],
      }),
  });
  await host.get("providers", "acme");
  const config = (globalThis as Record<string, unknown>).acmeConfig as Record<string, unknown>;
  expect(config).toMatchObject({ label: "stored", limit: 7, regions: ["a", "b"], mode: "fast" });
  expect(String(config.key)).toBe("[secret]");
  expect((config.key as { reveal(): string }).reveal()).toBe("k-from-environment");
  expect(host.variables()).toEqual(["ACME_KEY", "ACME_LIMIT", "ACME_REGIONS"]);
});

test("a wrong setting names setting and variable and hides the value", async () => {
  await settingsPlugin();
  await using host = await start({ environment: { ACME_KEY: "two words", ACME_LIMIT: "many" } });
  const error: Error = await host.get("providers", "acme").then(() => new Error(), (e) => e);
  expect(error.message).toContain("setting key must match");
  expect(error.message).toContain("limit must be of type integer (set by ACME_KEY, ACME_LIMIT)");
  expect(error.message + lines.join()).not.toContain("two words");
});

test("an activation error does not carry secrets out", async () => {
  await settingsPlugin("throw new Error('login with ' + c.config.key.reveal() + ' failed');");
  await using host = await start({ environment: { ACME_KEY: "k-very-secret" } });
  await expect(host.get("providers", "acme")).rejects.toThrow("login with [secret] failed");
  expect(JSON.stringify(host.plugins()) + lines.join()).not.toContain("k-very-secret");
});

test("a disabled plugin's contributions fail at once and serve again when it is enabled", async () => {
  await plugin("plugins/a", { name: "a", id: "a" });
  await using host = await start();
  const before = await host.get("providers", "a");
  host.setEnabled("a", false);
  expect(host.active("providers", "a")).toBeUndefined();
  expect(host.plugins()[0]?.outcome).toEqual({ state: "disabled" });
  await expect(host.get("providers", "a")).rejects.toMatchObject({
    code: "connection_disabled",
    message: 'Cannot use provider "a": plugin "a" is switched off',
  });
  host.setEnabled("a", true);
  expect(await host.get("providers", "a")).toBe(before);
  expect(() => host.setEnabled("b", true)).toThrow('Cannot switch plugin "b"');
});

test("disposal runs in reverse, within a time limit, and goes on after a failure", async () => {
  const seen = globalThis as Record<string, unknown>;
  seen.disposals = [];
  for (
    const [name, more] of [["a", ""], ["b", "throw new Error('no');"], [
      "c",
      "await new Promise(() => {});",
    ]]
  ) {
    await plugin(`plugins/${name}`, {
      name: name!,
      id: name!,
      code: `export default { activate(c) {
        c.onDispose(() => { disposals.push("${name}1"); });
        c.onDispose(async () => { disposals.push("${name}2"); ${more} });
        c.provide("providers", "${name}", ${provider});
      } };`,
    });
  }
  const host = await start({ disposeTimeoutMs: 20 });
  for (const id of ["b", "a", "c"]) await host.get("providers", id);
  await host.dispose();
  expect(seen.disposals).toEqual(["c2", "c1", "a2", "a1", "b2", "b1"]);
  expect(lines.filter((line) => line.includes("Cannot dispose"))).toHaveLength(2);
  await expect(host.get("providers", "a")).rejects.toMatchObject({ code: "shutting_down" });
});

test("a required contribution that does not work stops the start and tells why", async () => {
  await plugin("plugins/a", { name: "a", id: "a" });
  await plugin("plugins/bad", { name: "bad", id: "bad", code: "throw new Error('broken');" });
  await plugin("plugins/old", { name: "old", id: "old", members: { engines: { vmx: "^9.0.0" } } });
  await using host = await start();
  expect(await requireContribution(host, "providers", "a")).toBe(host.active("providers", "a"));
  await expect(requireContribution(host, "providers", "bad")).rejects.toThrow(
    'Cannot start: Cannot use provider "bad": Cannot load plugin "bad": broken',
  );
  const missing = requireContribution(host, "encryptions", "rot13");
  await expect(missing).rejects.toBeInstanceOf(StartError);
  await expect(missing).rejects.toThrow(
    'Cannot start: Cannot find encryption "rot13": no plugin provides it ' +
      '(Cannot read the manifest of plugin "old"',
  );
});

test("a plugin that asks for onStartup, or for another's need, is activated by it", async () => {
  await plugin("plugins/a", { name: "a", id: "a", members: { activationEvents: ["onStartup"] } });
  await plugin("plugins/b", { name: "b", id: "b" });
  await plugin("plugins/c", {
    name: "c",
    id: "c",
    members: { activationEvents: ["onProvider:b"] },
  });
  await using host = await start();
  await expect.poll(() => host.plugins()[0]?.outcome.state).toBe("active");
  expect(host.plugins()[2]?.outcome.state).toBe("idle");
  await host.get("providers", "b");
  await expect.poll(() => host.plugins()[2]?.outcome.state).toBe("active");
});

test("onStartup waits until it is known which plugins are switched off", async () => {
  for (const name of ["a", "b"]) {
    const members = { activationEvents: ["onStartup"] };
    await plugin(`plugins/${name}`, { name, id: name, members });
  }
  const switched = Promise.withResolvers<void>();
  await using host = await start({ switched: switched.promise });
  host.setEnabled("a", false);
  switched.resolve();
  await expect.poll(() => host.plugins()[1]?.outcome.state).toBe("active");
  host.setEnabled("a", true);
  expect(host.plugins()[0]?.outcome.state).toBe("idle");
});

test("a set variable selects a contribution over the default, the operator's word over both", async () => {
  const near = { ...plainEntry("near"), shared: false };
  const far = { ...plainEntry("far"), shared: true, selectedBy: ["FAR_URL"] };
  await plugin("plugins/s", {
    name: "s",
    id: "s",
    members: { contributes: { capacityStores: [near, far] } },
  });
  await using host = await start();
  const select = (environment: Record<string, string>, named?: string) =>
    selectContribution(host, "capacityStores", environment, { named, otherwise: "near" });
  expect([select({}), select({ FAR_URL: "x" }), select({ FAR_URL: "x" }, "near")])
    .toEqual(["near", "far", "near"]);
});

const provider = `{ operations: ["chat"], dialects: () => [], send: async () => ({}) }`;

function plainEntry(id: string): Record<string, unknown> {
  return { id, label: id };
}

function entry(id: string): Record<string, unknown> {
  return { ...plainEntry(id), operations: ["chat"], nativeDialects: ["openai-chat"] };
}

interface PluginParts {
  readonly name: string;
  readonly id: string;
  readonly entry?: Record<string, unknown>;
  readonly members?: Record<string, unknown>;
  readonly code?: string;
  readonly file?: string;
}

async function plugin(folder: string, parts: PluginParts): Promise<void> {
  const { name, id, file = "index.js" } = parts;
  await write(`${folder}/package.json`, {
    name,
    version: "1.2.3",
    type: "module",
    engines: { vmx: "^0.1.0" },
    exports: { ".": `./${file}` },
    contributes: { providers: [{ ...entry(id), ...parts.entry }] },
    ...parts.members,
  });
  const code = parts.code ??
    `export default { activate(c) { c.provide("providers", "${id}", ${provider}); } };`;
  await write(`${folder}/${file}`, code);
}

async function settingsPlugin(code = ""): Promise<void> {
  await plugin("plugins/acme", {
    name: "acme",
    id: "acme",
    members: {
      contributes: {
        settings: {
          schema: "./settings.schema.json",
          environment: { ACME_KEY: "key", ACME_LIMIT: "limit", ACME_REGIONS: "regions" },
        },
        providers: [entry("acme")],
      },
    },
    code: `export default { activate(c) {
      globalThis.acmeConfig = c.config; ${code}
      c.provide("providers", "acme", ${provider});
    } };`,
  });
  await write("plugins/acme/settings.schema.json", {
    type: "object",
    properties: {
      key: { type: "string", format: "secret", pattern: "^\\S+$" },
      label: { type: "string" },
      limit: { type: "integer" },
      regions: { type: "array", items: { type: "string" } },
      mode: { type: "string", default: "fast" },
    },
    additionalProperties: false,
  });
}

async function write(path: string, content: unknown): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
}

async function start(options: Partial<PluginHostOptions> = {}) {
  const write = (message: string) => void lines.push(message);
  const log: Log = { debug: () => {}, info: write, warn: write, error: write };
  const host = await createPluginHost({
    root,
    coreVersion: "0.1.0",
    environment: {},
    log,
    fetch,
    http: { send: () => Promise.reject(new Error("no network")) },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    signal: new AbortController().signal,
    dataDir: root,
    ...options,
  });
  return Object.assign(host, { [Symbol.asyncDispose]: () => host.dispose() });
}
