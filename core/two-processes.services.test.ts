import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "./command/testing.ts";
import { startTestDatabase, type TestDatabase } from "./store/testing.ts";

/* Two gateways, each a process of its own, on one PostgreSQL. */

const adminToken = "an-admin-token-for-two-processes-0123";
const apiKey = "an-api-key-for-two-processes-01234567";
const folders = [temporaryFolder(), temporaryFolder()];
let database: TestDatabase;
let gateways: GatewayProcess[];

beforeAll(async () => {
  database = await startTestDatabase();
  const environment = {
    DATABASE_URL: database.url,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
    VMX_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
  };
  // Both find an empty database: only one of them may fill it.
  gateways = await Promise.all(
    folders.map(({ path }) => startProcess({ ...environment, DATA_DIR: path })),
  );
}, 60_000);

afterAll(async () => {
  for (const gateway of gateways ?? []) await gateway.end();
  await database?.stop();
  for (const folder of folders) folder.remove();
});

const api = (gateway: GatewayProcess, path: string, method = "GET", body?: unknown) =>
  fetch(`${gateway.ready.baseUrl.replace(/\/v1$/, "/api/v1")}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const ask = (gateway: GatewayProcess, model: string) =>
  fetch(`${gateway.ready.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });

test("two processes that start together create one set of first objects", async () => {
  const [first, second] = gateways as [GatewayProcess, GatewayProcess];
  const lists = await Promise.all(
    [first, second].map(async (gateway) => await (await api(gateway, "/workspaces")).json()),
  );
  expect(lists[0].data).toHaveLength(1);
  expect(lists[1].data).toEqual(lists[0].data);
  expect((await ask(first, "demo")).status).toBe(200);
  expect((await ask(second, "demo")).status).toBe(200);
});

test("a change made by one process is served by the other within two seconds", async () => {
  const [first, second] = gateways as [GatewayProcess, GatewayProcess];
  const { data: [workspace] } = await (await api(first, "/workspaces?includesEnvironments=true"))
    .json();
  const environment = `/workspaces/${workspace.workspaceId}/environments/${
    workspace.environments[0].environmentId
  }`;
  const name = "made-by-the-first";
  const created = await api(first, `${environment}/ai-resources`, "POST", {
    name,
    model: { connectionName: "echo", model: "echo" },
  });
  expect(created.status).toBe(201);
  expect((await ask(first, name)).status).toBe(200);
  expect(await within(2_000, async () => (await ask(second, name)).status === 200)).toBe(true);

  const { resourceId } = await created.json();
  const deleted = await api(second, `${environment}/ai-resources/${resourceId}`, "DELETE");
  expect(deleted.status, second.output()).toBe(204);
  expect((await ask(second, name)).status).toBe(404);
  expect(await within(2_000, async () => (await ask(first, name)).status === 404)).toBe(true);
});

async function within(ms: number, condition: () => Promise<boolean>): Promise<boolean> {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
