import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "../command/testing.ts";

/* Paths outside the management API that tell about the installation: details of readiness, metrics on the same port. */

const adminToken = "an-admin-token-for-system-paths-0123";
const apiKey = "an-api-key-for-system-paths-01234567";
const password = "a phrase for system paths";
const folder = temporaryFolder();
const callers = new Map<string, Record<string, string>>();
let gateway: GatewayProcess;
let origin: string;

beforeAll(async () => {
  const port = String(await freePort());
  gateway = await startProcess({
    DATA_DIR: folder.path,
    PORT: port,
    VMX_METRICS_ENABLED: "true",
    VMX_METRICS_PORT: port,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
  });
  origin = new URL(gateway.ready.baseUrl).origin;
  callers.set("nobody", {})
    .set("a wrong token", { authorization: "Bearer vmx_pat_nonsense" })
    .set("an API key", { authorization: `Bearer ${apiKey}` })
    .set("an API key in its own header", { "x-api-key": apiKey })
    .set("a session nobody began", { cookie: `vmx_session=${"A".repeat(43)}` })
    .set("the administrator", { authorization: `Bearer ${adminToken}` });
  await createPerson("without a role", []);
  await createPerson("who reads", ["read-only"]);
  await createPerson("whose roles deny it", ["power-user"]);
  await createPerson("who must change the password", ["admin"], "CHANGE_PASSWORD");
}, 120_000);
afterAll(async () => {
  await gateway?.end();
  folder.remove();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Creates somebody and signs them in. */
async function createPerson(name: string, roles: readonly string[], state = "ACTIVE") {
  const manage = async (path: string, body?: unknown) => {
    const response = await fetch(`${origin}/api/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.ok, path).toBe(true);
    return { headers: response.headers, body: await response.json() };
  };
  const roleIds = (await manage("/roles")).body.data
    .filter((role: { name: string }) => roles.includes(role.name))
    .map(({ roleId }: { roleId: string }) => roleId);
  const username = name.replaceAll(" ", "-");
  await manage("/users", {
    ...{ username, email: `${username}@example.com`, firstName: "A", lastName: "Person" },
    ...{ password, state, roleIds },
  });
  const { headers } = await manage("/auth/login", { username, password });
  callers.set(name, { cookie: headers.getSetCookie()[0]!.split(";")[0]! });
}

const may = ["the administrator", "who reads"];

test("details of readiness are for holders of system:get, its state is for everybody", async () => {
  for (const [name, headers] of callers) {
    const response = await fetch(`${origin}/readyz`, { headers });
    const { status, ...details } = await response.json();
    expect([name, response.status, status]).toEqual([name, 200, "ready"]);
    const hasDetails = Object.keys(details).length > 0;
    expect([name, hasDetails]).toEqual([name, may.includes(name)]);
  }
});

test("metrics on the gateway's own port are for holders of system:get", async () => {
  for (const [name, headers] of callers) {
    const response = await fetch(`${origin}/metrics`, { headers });
    const text = await response.text();
    const isAllowed = may.includes(name);
    expect([name, response.ok, text.includes("vmx_gateway")]).toEqual([name, isAllowed, isAllowed]);
    if (!isAllowed) expect([401, 403], `${name}: ${response.status}`).toContain(response.status);
  }
});
