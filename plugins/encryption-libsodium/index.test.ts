import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Encryption, Log, PluginContext } from "@vmx/core/contract";
import { Secret } from "@vmx/core/kit";
import plugin from "./index.ts";
import { loadKeyFile } from "./key-file.ts";
import { parseKey, parseKeyRing } from "./key-ring.ts";

const key = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";
const other = "dnV0c3JxcG9ubWxramloZ2ZlZGNiYTk4NzY1NDMyMTA=";
const context = { environment: "e", owner: "o", field: "f" };

let dataDir: string;
let warnings: string[];
let log: Log;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "vmx-key-"));
  warnings = [];
  log = { debug() {}, info() {}, warn: (message) => warnings.push(message), error() {} };
});

afterEach(() => rm(dataDir, { recursive: true }));

async function activate(config: PluginContext["config"]): Promise<Encryption> {
  let provided: Encryption | undefined;
  const provide = (_point: unknown, _id: string, encryption: unknown) => {
    provided = encryption as Encryption;
  };
  await plugin.activate({ config, dataDir, log, provide } as unknown as PluginContext);
  if (provided === undefined) throw new Error("nothing was provided");
  return provided;
}

test("the ring wins over the single key, and its highest version seals", async () => {
  const ring = await activate({ keys: new Secret(`3:${key}, 12:${other}`), key: new Secret(key) });
  expect(ring.keyVersions).toEqual([3, 12]);
  expect(ring.keyVersion).toBe(12);
  expect(warnings).toEqual([]);
});

test("a single key is version 1 and needs no file", async () => {
  const single = await activate({ key: new Secret(key) });
  expect(single.keyVersions).toEqual([1]);
  await expect(stat(join(dataDir, "encryption.key"))).rejects.toThrow();
});

test("without keys a file of mode 0600 is made once, and a warning tells to back it up", async () => {
  const first = await activate({});
  const path = join(dataDir, "encryption.key");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("Back it up");
  const sealed = await first.seal(Buffer.from("secret"), context);
  const again = await activate({});
  expect(Buffer.from(await again.open(sealed, context)).toString()).toBe("secret");
  expect(warnings).toHaveLength(1);
  expect(warnings.join()).not.toContain((await readFile(path, "utf8")).slice(2, 20));
});

test("ten processes that start at once agree on one key file", async () => {
  const rings = await Promise.all(Array.from({ length: 10 }, () => loadKeyFile(dataDir, log)));
  expect(new Set(rings.map((ring) => Buffer.from(ring.get(1)!).toString("hex"))).size).toBe(1);
  expect(warnings.filter((warning) => warning.includes("Made"))).toHaveLength(1);
});

test("a key file that others can read draws a warning", async () => {
  const path = join(dataDir, "encryption.key");
  await writeFile(path, `1:${key}\n`);
  await chmod(path, 0o644);
  await activate({});
  expect(warnings[0]).toContain("can be read by others");
});

test("a damaged key file stops the start and names the file", async () => {
  const path = join(dataDir, "encryption.key");
  await writeFile(path, "");
  await expect(activate({})).rejects.toThrow(`Cannot read ${path}: it is empty`);
});

test.each([
  ["", "Cannot read KEYS: it is empty"],
  [key, 'Cannot read KEYS: entry 1 does not begin with a version and ":"'],
  [`0:${key}`, 'Cannot read KEYS: entry 1 does not begin with a version and ":"'],
  [`1:${key},1:${other}`, "Cannot read KEYS: version 1 appears twice"],
  [`1:${key},2:${key}`, "Cannot read KEYS: versions 1 and 2 have the same key"],
  ["1:c2hvcnQ=", "Cannot read KEYS version 1: the key has 5 bytes, not 32"],
  ["1:not base64!", "Cannot read KEYS version 1: the key is not base64"],
  [`1:${"A".repeat(43)}=`, "Cannot read KEYS version 1: the key is not random"],
])("a bad ring is refused without showing it: %#", (text, message) => {
  expect(() => parseKeyRing(text, "KEYS")).toThrow(new Error(message));
});

test("a key may be written in base64url and without padding", () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => 255 - at * 3));
  expect(Buffer.from(parseKey(bytes.toString("base64url"), "K"))).toEqual(bytes);
});
