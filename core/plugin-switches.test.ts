import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "./command/testing.ts";
import { loadConfig } from "./config.ts";
import { installationRoot } from "./host/discover.ts";
import { createKernel, type Kernel } from "./kernel.ts";
import { startTestDatabase, type TestDatabase } from "./store/testing.ts";

/* Plugins switched on and off by one gateway, seen by another on the same database. */

const adminToken = "an-admin-token-for-plugin-switches-01";
const apiKey = "an-api-key-for-plugin-switches-012345";
const encryptionKey = randomBytes(32).toString("base64");
const folders: { remove(): void }[] = [];
let database: TestDatabase;
let first: Kernel;
let second: Kernel;

beforeAll(async () => {
  database = await startTestDatabase();
  first = await start();
  second = await start();
}, 60_000);

afterAll(async () => {
  await Promise.all([first, second].map((kernel) => kernel?.stop()));
  await database?.stop();
  for (const folder of folders) folder.remove();
}, 30_000);

function start(): Promise<Kernel> {
  const folder = temporaryFolder();
  folders.push(folder);
  const environment = {
    DATA_DIR: folder.path,
    PORT: "0",
    DATABASE_URL: database.url,
    LOG_LEVEL: "error",
    VMX_SNAPSHOT_POLL_MS: "100",
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
    VMX_ENCRYPTION_KEY: encryptionKey,
  };
  return createKernel(loadConfig(environment, installationRoot()), environment);
}

async function api(kernel: Kernel, method: string, path: string, body?: unknown) {
  const response = await fetch(`${kernel.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const switchPlugin = (kernel: Kernel, id: string, enabled: boolean) =>
  api(kernel, "PATCH", `/plugins/${encodeURIComponent(id)}`, { enabled });

const stateOf = (kernel: Kernel, id: string) =>
  kernel.host.plugins().find((plugin) => plugin.id === id)!.outcome.state;

const ask = (kernel: Kernel, model: string) =>
  fetch(`${kernel.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });

test(
  "a plugin switched off by one gateway fails at once in the other, and its legs fall back",
  async () => {
    const { body: { data: [workspace] } } = await api(
      first,
      "GET",
      "/workspaces?includesEnvironments=true",
    );
    const { environmentId } = workspace.environments[0];
    const environment = `/workspaces/${workspace.workspaceId}/environments/${environmentId}`;
    const connection = await api(first, "POST", `${environment}/ai-connections`, {
      name: "groq",
      provider: "groq",
      config: { apiKey: "gsk_0123456789012345678901234567890123456789" },
    });
    expect(connection.status, JSON.stringify(connection.body)).toBe(201);
    for (
      const [name, fallbackModels] of [
        ["alone", []],
        ["backed", [{ connectionName: "echo", model: "echo" }]],
      ] as const
    ) {
      const model = { connectionName: "groq", model: "llama" };
      const made = await api(first, "POST", `${environment}/ai-resources`, {
        name,
        model,
        fallbackModels,
      });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
    }

    const off = await switchPlugin(first, "@vmx/provider-groq", false);
    expect([off.status, off.body.enabled]).toEqual([200, false]);
    expect(stateOf(first, "@vmx/provider-groq")).toBe("disabled");
    await expect.poll(() => stateOf(second, "@vmx/provider-groq")).toBe("disabled");

    for (const kernel of [first, second]) {
      const backed = await ask(kernel, "backed");
      expect(backed.status, await backed.clone().text()).toBe(200);
      const events = [...backed.headers].filter(([name]) => name.startsWith("x-vmx-event-"));
      expect(JSON.stringify(events)).toContain("Connection disabled");
      const alone = await ask(kernel, "alone");
      expect(alone.status).toBe(404);
      expect((await alone.json()).error).toMatchObject({
        code: "connection_disabled",
        message: 'Cannot use provider "groq": plugin "@vmx/provider-groq" is switched off',
      });
    }
  },
  30_000,
);

test("a gateway that starts later starts with what is switched off", async () => {
  const third = await start();
  try {
    expect(stateOf(third, "@vmx/provider-groq")).toBe("disabled");
    expect((await api(third, "GET", "/plugins/%40vmx%2Fprovider-groq")).body.enabled).toBe(false);
    await switchPlugin(third, "@vmx/provider-groq", true);
    expect(stateOf(third, "@vmx/provider-groq")).toBe("idle");
    await expect.poll(() => stateOf(first, "@vmx/provider-groq")).toBe("idle");
  } finally {
    await third.stop();
  }
}, 30_000);

test("what the gateway cannot run without cannot be switched off", async () => {
  for (const id of ["@vmx/encryption-libsodium", "@vmx/shared-state-memory"]) {
    const refused = await switchPlugin(first, id, false);
    expect([refused.status, refused.body.code]).toEqual([400, "VALIDATION_FAILED"]);
    expect(refused.body.detail).toContain(`Cannot switch off plugin "${id}": `);
    expect(stateOf(first, id)).not.toBe("disabled");
    expect((await switchPlugin(first, id, true)).status).toBe(200);
  }
});

test("a stored switch against a required plugin is not followed", async () => {
  await first.database.em().execute(
    "update vmx.plugin_settings set enabled = false where plugin_id = ?",
    ["@vmx/encryption-libsodium"],
  );
  const later = await start();
  try {
    expect(stateOf(later, "@vmx/encryption-libsodium")).toBe("active");
    expect((await ask(later, "demo")).status).toBe(200);
  } finally {
    await later.stop();
  }
}, 30_000);
