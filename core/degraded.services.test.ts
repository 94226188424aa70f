import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatewayProcess, startProcess, temporaryFolder } from "./command/testing.ts";
import { type EmbeddedDatabase, startEmbedded } from "./store/embedded.ts";
import { disposable, pauseServer, silentLog } from "./store/testing.ts";

/*
 * Rows of the table of degraded modes that concern the database and a sink of usage, on a gateway process. The others
 * are tested where their dependency is at home.
 */

const adminToken = "an-admin-token-for-degraded-modes-0123";
const apiKey = "an-api-key-for-degraded-modes-01234567";
const password = "a password for degraded modes";
const folder = temporaryFolder();
const databaseDir = mkdtempSync(join(tmpdir(), "vmx-degraded-"));
const patience = { timeout: 60_000, interval: 200 };
let database: EmbeddedDatabase;
let sink: Server;
let sinkUrl: string;
const connections: Socket[] = [];
let gateway: GatewayProcess;
let environment: string;

const startDatabase = () =>
  startEmbedded({
    dataDir: databaseDir,
    log: silentLog,
    outside: `${databaseDir}-outside`,
    settings: disposable,
  });

beforeAll(async () => {
  // Takes connections and never answers.
  sink = createServer((socket) => void connections.push(socket));
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  sinkUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  database = await startDatabase();
  gateway = await startProcess({
    DATA_DIR: folder.path,
    DATABASE_URL: database.url,
    VMX_ADMIN_EMAIL: "admin@localhost",
    VMX_ADMIN_PASSWORD: password,
    VMX_ADMIN_TOKEN: adminToken,
    VMX_BOOTSTRAP_API_KEY: apiKey,
    VMX_USAGE_SINKS: "database,questdb",
    QUESTDB_URL: sinkUrl,
  });
  environment = await firstEnvironment();
});

afterAll(async () => {
  await gateway?.end("SIGKILL");
  await database?.stop();
  sink?.close();
  folder.remove();
  for (const path of [databaseDir, `${databaseDir}-outside`]) {
    rmSync(path, { recursive: true, force: true });
  }
});

async function firstEnvironment(): Promise<string> {
  const { data: [workspace] } = (await api("GET", "/workspaces?includesEnvironments=true")).body;
  const [{ environmentId }] = workspace.environments;
  return `/workspaces/${workspace.workspaceId}/environments/${environmentId}`;
}

const origin = () => new URL(gateway.ready.baseUrl).origin;

async function api(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: `Bearer ${adminToken}` },
  // deno-lint-ignore no-explicit-any -- answers are looked into freely
): Promise<{ status: number; body: any; headers: Headers }> {
  const response = await fetch(`${origin()}/api/v1${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

function call(path: string, body: object, key = apiKey): Promise<Response> {
  return fetch(`${gateway.ready.baseUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "demo", ...body }),
  });
}

const messages = [{ role: "user", content: "one two three" }];
const login = () => api("POST", "/auth/login", { username: "admin", password }, {});
const readiness = async () => {
  const response = await fetch(`${origin()}/readyz`, {
    headers: { authorization: `Bearer ${adminToken}` },
  });
  return { httpStatus: response.status, ...await response.json() };
};
const usage = () =>
  api("POST", `${environment}/usage/query`, {
    filter: {
      dateRange: {
        start: new Date(Date.now() - 3_600_000).toISOString(),
        end: new Date(Date.now() + 60_000).toISOString(),
      },
    },
    agg: { requestCount: "sum" },
    dimensions: [],
  });

/** Sends one request of every kind; answers the ids of those that have rows. */
async function serve(): Promise<string[]> {
  const answers = await Promise.all([
    call("/chat/completions", { messages }),
    call("/chat/completions", { messages, stream: true }),
    call("/messages", { messages, max_tokens: 20 }),
    call("/responses", { input: "hello there" }),
    call("/embeddings", { input: "a text" }),
  ]);
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    await answer.text();
  }
  expect((await call("/chat/completions", { messages }, "vmx_sk_unknown")).status).toBe(401);
  return answers.map(({ headers }) => headers.get("x-vmx-request-id")!);
}

async function rowsOf(ids: readonly string[]): Promise<number> {
  const answers = await Promise.all(ids.map((id) => api("GET", `${environment}/audit/${id}`)));
  return answers.filter(({ status }) => status === 200).length;
}

test.each(["stopped", "paused"] as const)(
  "database %s: requests are served and spooled, the configuration is read, the rest says 503",
  async (kind) => {
    const ids = await serve();
    const session = await login();
    expect(session.status).toBe(200);
    const cookie = { cookie: session.headers.get("set-cookie")!.split(";")[0]! };
    const paths = [`${environment}/ai-connections`, `${environment}/ai-resources`, "/roles"];
    const read = async (headers?: Record<string, string>) =>
      await Promise.all(
        paths.map(async (path) => (await api("GET", path, undefined, headers)).body),
      );
    const held = await read();
    await expect.poll(() => rowsOf(ids), patience).toBe(ids.length);
    await expect.poll(async () => (await readiness()).spool.oldestAgeSeconds, patience).toBe(0);

    let wake = () => {};
    if (kind === "paused") wake = pauseServer(database.pid);
    else await database.stop();
    try {
      await expect.poll(readiness, patience).toMatchObject({
        httpStatus: 200,
        status: "degraded",
        degraded: ["database_away"],
      });
      const before = (await readiness()).spool;
      ids.push(...await serve(), ...await serve());
      expect((await readiness()).spool.bytes).toBeGreaterThan(before.bytes);
      await expect.poll(async () => (await readiness()).spool.oldestAgeSeconds, patience)
        .toBeGreaterThan(0);

      expect(await read()).toEqual(held);
      expect(await read(cookie)).toEqual(held);
      // The second time no connection is left from before.
      for (let round = 0; round < 2; round++) {
        const startedAt = performance.now();
        const refused = await Promise.all([
          api("POST", "/workspaces", { name: `never-${kind}` }),
          api("GET", `${environment}/audit`),
          usage(),
          // So often that failed logins would lock the account.
          ...Array.from({ length: 3 }, login),
        ]);
        expect(refused.map(({ status, body }) => [status, body.code])).toEqual(
          refused.map(() => [503, "DATABASE_UNAVAILABLE"]),
        );
        // About 5 s on a machine that has nothing else to do; a statement's own limit is 15 s.
        const tookMs = performance.now() - startedAt;
        console.log(`database ${kind}: refused after ${Math.round(tookMs)} ms`);
        expect(tookMs).toBeLessThan(10_000);
      }
    } finally {
      if (kind === "paused") wake();
      else database = await startDatabase();
    }
    await expect.poll(async () => (await readiness()).status, patience).toBe("ready");
    await expect.poll(() => rowsOf(ids), patience).toBe(ids.length);
    expect((await login()).status).toBe(200);
    expect((await api("GET", "/workspaces?name=never-" + kind)).body.data).toEqual([]);
  },
);

test("a sink of usage that hangs or refuses holds nothing up: requests, audit and the other sink go on", async () => {
  const counted = async () => (await usage()).body.data[0].requestCount as number;
  for (const kind of ["hangs", "refuses"]) {
    if (kind === "refuses") {
      sink.close();
      for (const socket of connections) socket.destroy();
    }
    const before = await counted();
    const ids = await serve();
    await expect.poll(() => rowsOf(ids), patience).toBe(ids.length);
    await expect.poll(counted, patience).toBe(before + ids.length);
    expect((await readiness()).status).toBe("ready");
  }
});

test("a query to a sink that does not answer is 503 and names it; the audit goes on", async () => {
  const first = gateway;
  const other = temporaryFolder();
  const place = environment;
  try {
    gateway = await startProcess({
      DATA_DIR: other.path,
      VMX_ADMIN_TOKEN: adminToken,
      VMX_BOOTSTRAP_API_KEY: apiKey,
      VMX_USAGE_SINKS: "database,questdb",
      VMX_USAGE_QUERY_SINK: "questdb",
      // The sink of the test before, which refuses by now.
      QUESTDB_URL: sinkUrl,
    });
    environment = await firstEnvironment();
    expect(await usage()).toMatchObject({
      status: 503,
      body: {
        code: "DATABASE_UNAVAILABLE",
        detail: 'Cannot query usage: sink "questdb" does not answer',
      },
    });
    expect((await api("GET", `${environment}/audit`)).status).toBe(200);
  } finally {
    if (gateway !== first) await gateway.end("SIGKILL");
    [gateway, environment] = [first, place];
    other.remove();
  }
});
