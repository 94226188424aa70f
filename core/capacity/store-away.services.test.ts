import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "../command/testing.ts";

/* A gateway whose capacity store is a server of its own, which is paused and killed; and a gateway that is killed. */

const folder = temporaryFolder();
const adminToken = "an-admin-token-for-store-failures-0123";
const apiKey = "an-api-key-for-store-failures-01234567";
let port: number;
let server: ChildProcess;
let gateway: GatewayProcess;
let environment: string;
let connectionId: string;

beforeAll(async () => {
  port = await freePort();
  server = await startServer();
  gateway = await startGateway();
  const { data: [workspace] } = await api("GET", "/workspaces?includesEnvironments=true");
  environment = `/workspaces/${workspace.workspaceId}/environments/${
    workspace.environments[0].environmentId
  }`;
  connectionId = (await api("GET", `${environment}/ai-connections`)).data[0].connectionId;
  await api("PATCH", `${environment}/ai-connections/${connectionId}`, {
    capacity: [{ period: "day", requests: 1_000 }],
  });
}, 60_000);

afterAll(async () => {
  server?.kill("SIGKILL");
  await gateway?.end();
  folder.remove();
});

const startGateway = () =>
  startProcess({
    REDIS_URL: `redis://127.0.0.1:${port}`,
    DATA_DIR: folder.path,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
  });

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function startServer(): Promise<ChildProcess> {
  const child = spawn(
    "redis-server",
    [
      ["--port", String(port), "--save", "", "--appendonly", "no"],
      ["--maxmemory-policy", "noeviction", "--dir", folder.path],
    ].flat(),
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.stdout!.on("data", (text: Buffer) => {
      if (text.includes("Ready to accept connections")) resolve();
    });
  });
  return child;
}

// deno-lint-ignore no-explicit-any -- answers are looked into freely
async function api(method: string, path: string, body?: unknown): Promise<any> {
  const url = gateway.ready.baseUrl.replace(/\/v1$/, "/api/v1") + path;
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return await response.json();
}

const ask = (model = "demo", signal?: AbortSignal) =>
  fetch(`${gateway.ready.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
    ...(signal ? { signal } : {}),
  });

async function capacity() {
  const { storeState, data } = await api("GET", `${environment}/capacity`);
  return { storeState, used: data[0].requests.used, reserved: data[0].requests.reserved };
}

test(
  "while the store is paused answers come at once, and their use is told to it afterwards",
  async () => {
    for (let at = 0; at < 3; at++) expect((await ask()).status).toBe(200);
    server.kill("SIGSTOP");
    const times: number[] = [];
    for (let at = 0; at < 20; at++) {
      const startedAt = performance.now();
      const response = await ask();
      times.push(performance.now() - startedAt);
      expect(response.status).toBe(200);
      expect(response.headers.get("x-vmx-warnings")).toContain("capacity_degraded");
      await response.text();
    }
    // Five wait for the deadline, then the breaker keeps calls away.
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(100);
    expect((await capacity()).storeState).toBe("local");
    server.kill("SIGCONT");
    await expect.poll(capacity, { timeout: 10_000, interval: 250 })
      .toEqual({ storeState: "ok", used: 23, reserved: 0 });
  },
  30_000,
);

test("what a killed gateway had reserved is given back", async () => {
  await api("PATCH", `${environment}/ai-connections/${connectionId}`, { enabled: true });
  const before = (await capacity()).used;
  const hanging = ask("echo/echo-slow-60000ms").catch(() => {});
  await expect.poll(async () => (await capacity()).reserved, { timeout: 5_000 }).toBe(1);
  await gateway.end("SIGKILL");
  await hanging;
  gateway = await startGateway();
  expect((await capacity()).used).toBe(before + 1);
  await expect.poll(capacity, { timeout: 50_000, interval: 500 })
    .toEqual({ storeState: "ok", used: before, reserved: 0 });
}, 90_000);

test("a store that comes back empty is given the copy and the use of its absence", async () => {
  const before = (await capacity()).used;
  // Copies are made every 30 s.
  await delay(31_000);
  server.kill("SIGKILL");
  await new Promise((resolve) => server.once("close", resolve));
  for (let at = 0; at < 6; at++) expect((await ask()).status).toBe(200);
  server = await startServer();
  await expect.poll(capacity, { timeout: 15_000, interval: 250 })
    .toEqual({ storeState: "ok", used: before + 6, reserved: 0 });
}, 90_000);
