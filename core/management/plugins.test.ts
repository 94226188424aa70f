import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { change } from "../store/change.ts";
import { AiConnection } from "../store/entities/index.ts";
import { createPerson } from "./testing-people.ts";
import { type Answer, startTestManagement, type TestManagement } from "./testing.ts";

let plane: TestManagement;
let folder: string;
const path = `/api/v1/plugins/${encodeURIComponent("acme-sink")}`;
/** What the plugin was activated with, each time. */
const configs: { readonly key?: { reveal(): string }; readonly url: string }[] = [];
Object.assign(globalThis, { acmeConfigs: configs });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vmx-plugin-"));
  const write = (name: string, content: unknown) =>
    writeFile(
      join(folder, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  await write("package.json", {
    name: "acme-sink",
    version: "1.2.3",
    description: "Sends measurements to Acme",
    type: "module",
    main: "index.js",
    engines: { vmx: "*" },
    keywords: ["vmx-plugin"],
    contributes: {
      settings: { schema: "./settings.json" },
      metricSinks: [{ id: "acme", label: "Acme" }],
    },
  });
  await write("settings.json", {
    type: "object",
    additionalProperties: false,
    required: ["url"],
    properties: {
      url: { type: "string", format: "uri", "x-vmx-destination": true },
      key: { type: "string", minLength: 6, format: "secret" },
      batch: { type: "integer", minimum: 1, default: 10 },
    },
  });
  await write(
    "index.js",
    `export default { activate(context) {
      globalThis.acmeConfigs.push(context.config);
      if (context.config.batch === 13) throw new Error("thirteen");
      context.provide("metricSinks", "acme", { record() {}, flush: async () => {}, close: async () => {} });
    } };`,
  );
  plane = await startTestManagement({}, {}, { folders: [folder] });
});
afterAll(async () => {
  await plane.stop();
  await rm(folder, { recursive: true });
});

const told = ({ status, body }: Answer) => [status, body?.code];
const secret = "acme-secret-0123456789";

test("settings are checked by the plugin's own schema, sealed, masked, and versioned", async () => {
  const before = await plane.call("GET", path);
  expect(before.body, before.text).toMatchObject({
    version: "1.2.3",
    settings: {},
    settingsVersion: 0,
    settingsPending: false,
    settingsFixed: {},
    settingsSchema: { required: ["url"] },
  });
  for (
    const [settings, at] of [
      [{ url: "https://a.example", batch: 0 }, "/settings/batch"],
      [{ url: "https://a.example", bach: 1 }, "/settings/bach"],
      [{ key: secret }, "/settings/url"],
      [{ url: "https://a.example", key: "short" }, "/settings/key"],
    ] as const
  ) {
    const refused = await plane.call("PATCH", path, { settings });
    expect(told(refused), at).toEqual([400, "VALIDATION_FAILED"]);
    expect(refused.body.errors[0].path).toBe(at);
    expect(refused.text).not.toContain(secret);
  }
  const set = await plane.call("PATCH", path, {
    settings: { url: "https://a.example", key: secret },
  }, { "if-match": before.headers.get("etag")! });
  expect(set.body, set.text).toMatchObject({
    settings: { url: "https://a.example", key: "********", batch: 10 },
    settingsVersion: 1,
  });
  expect(set.headers.get("etag")).toBe('"1"');
  const stale = await plane.call("PATCH", path, { settings: { batch: 5 } }, { "if-match": '"0"' });
  expect(told(stale)).toEqual([412, "VERSION_MISMATCH"]);
  const rows = await plane.database.em().execute<{ text: string }[]>(
    `select settings::text as text from ${plane.database.schema}.plugin_settings`,
  );
  expect(JSON.stringify(rows)).not.toContain(secret);
  const trail = await plane.call("GET", "/api/v1/activity?entityType=plugin");
  expect(trail.body.data[0]).toMatchObject({
    action: "plugin:update",
    entity: { id: "acme-sink" },
  });
  expect(trail.text).not.toContain(secret);
  expect(trail.text).toContain('{"op":"replace","path":"/settings/key","value":"changed"}');
});

test("a destination does not change while the stored secret is kept", async () => {
  for (
    const settings of [{ url: "https://evil.example" }, { url: "https://evil.example", key: "***" }]
  ) {
    const moved = await plane.call("PATCH", path, { settings });
    expect(told(moved)).toEqual([400, "AI_CONNECTION_CONFIG_INVALID"]);
    expect(moved.body.detail).toContain("re-enter key to change url");
  }
  const kept = await plane.call("PATCH", path, { settings: { batch: 20, key: "********" } });
  expect(kept.status, kept.text).toBe(200);
  const again = await plane.call("PATCH", path, {
    settings: { url: "https://b.example", key: secret },
  });
  expect(again.body.settings).toMatchObject({ url: "https://b.example", key: "********" });
});

test("the plugin starts with what is stored, and later changes wait for the next start", async () => {
  await plane.host.get("metricSinks", "acme");
  expect(configs.at(-1)!.url).toBe("https://b.example");
  expect(configs.at(-1)!.key!.reveal()).toBe(secret);
  expect((await plane.call("GET", path)).body.settingsPending).toBe(false);
  const changed = await plane.call("PATCH", path, { settings: { batch: 30 } });
  expect(changed.body.settingsPending).toBe(true);
  const back = await plane.call("PATCH", path, { settings: { batch: 20 } });
  expect(back.body.settingsPending).toBe(false);
  // The same secret sealed anew, as a re-encryption does it, and another one.
  const [url, again] = ["https://b.example", { key: secret }];
  const sealedAnew = await plane.call("PATCH", path, { settings: { url, ...again } });
  expect(sealedAnew.body).toMatchObject({ settingsVersion: back.body.settingsVersion + 1 });
  expect(sealedAnew.body.settingsPending).toBe(false);
  const replaced = await plane.call("PATCH", path, { settings: { url, key: `${secret}-2` } });
  expect(replaced.body.settingsPending).toBe(true);
  const cleared = await plane.call("PATCH", path, { settings: { key: null } });
  expect(cleared.body.settings).not.toHaveProperty("key");
});

test("a plugin that failed tries again with new settings", async () => {
  const other = await startTestManagement({}, {}, { folders: [folder] });
  try {
    const set = (batch: number) =>
      other.call("PATCH", path, { settings: { url: "https://a.example", batch } });
    await set(13);
    await expect(other.host.get("metricSinks", "acme")).rejects.toThrow("thirteen");
    expect((await other.call("GET", path)).body.outcome.state).toBe("failed");
    await set(12);
    await other.host.get("metricSinks", "acme");
    expect((await other.call("GET", path)).body.outcome.state).toBe("active");
  } finally {
    await other.stop();
  }
});

test("settings of a plugin without any, or of the one that seals them, cannot be stored", async () => {
  for (const id of ["@vmx/provider-echo", "@vmx/encryption-libsodium"]) {
    const refused = await plane.call("PATCH", `/api/v1/plugins/${encodeURIComponent(id)}`, {
      settings: { key: "x" },
    });
    expect(told(refused), id).toEqual([400, "VALIDATION_FAILED"]);
  }
});

test("only who may update plugins sets them, and nobody reads a secret back", async () => {
  const power = await createPerson(plane, { roles: ["power-user"] });
  expect(told(await power.call("PATCH", path, { settings: { batch: 1 } })))
    .toEqual([403, "NOT_AUTHORIZED"]);
  const read = await power.call("GET", path);
  expect(read.status).toBe(200);
  expect(read.text).not.toContain(secret);
});

test("a backend stays on as long as something stored is sealed with it", async () => {
  const backend = `/api/v1/plugins/${encodeURIComponent("@vmx/encryption-aws-kms")}`;
  const connection = await plane.call("POST", `${plane.environmentPath}/ai-connections`, {
    name: "sealed elsewhere",
    provider: "openai-compatible",
    config: { baseUrl: "https://example.com/v1", apiKey: "credential" },
  });
  const { connectionId } = connection.body;
  await change(plane.database, { userId: null, via: "api" }, async ({ em }) => {
    const row = await em.findOneOrFail(AiConnection, connectionId);
    row.config = { ...row.config, apiKey: "aws-kms:1:sealed" };
  });
  const refused = await plane.call("PATCH", backend, { enabled: false });
  expect(told(refused)).toEqual([400, "VALIDATION_FAILED"]);
  expect(refused.body.detail).toContain("stored secrets are sealed with its encryption backend");
  await plane.call("DELETE", `${plane.environmentPath}/ai-connections/${connectionId}`);
  expect((await plane.call("PATCH", backend, { enabled: false })).status).toBe(200);
});
