import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failToStart, startProcess, temporaryFolder } from "../command/testing.ts";
import type { Database } from "./database.ts";
import { startTestDatabase, type TestDatabase } from "./testing.ts";

/* Starts with a DATABASE_URL that a PostgreSQL with passwords refuses. */

const password = "the-password-of-the-limited-user";
const [limited, guest, name] = ["limited", "guest", "narrow"];
/** No resolver need be asked to know that nobody has such a long name. */
const nowhere = `${"n".repeat(64)}.invalid`;
const patience = { timeout: 60_000, interval: 200 };
const folders: { remove(): void }[] = [];
let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await startTestDatabase();
  database = await server.open();
  const [{ hba_file: file } = { hba_file: "" }] = await database.statements.read<{
    hba_file: string;
  }>("show hba_file");
  writeFileSync(file, "local all vmx trust\nlocal all all scram-sha-256\n");
  await administer(
    "select pg_reload_conf()",
    `create database ${name}`,
    `revoke all on database ${name} from public`,
    `create role ${limited} login password '${password}'`,
    `create role ${guest} login password '${password}'`,
    `grant connect on database ${name} to ${limited}`,
  );
});
afterAll(async () => {
  await server.stop();
  for (const folder of folders) folder.remove();
});

async function administer(...statements: string[]): Promise<void> {
  for (const statement of statements) await database.statements.write(statement);
}

function dataDir(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder.path;
}

/** The URL of the test's database with other parts. */
function changed(
  parts: Partial<Record<"username" | "password" | "pathname", string>>,
  query = "",
): string {
  const url = new URL(server.url);
  Object.assign(url, { username: limited, password, pathname: `/${name}`, ...parts });
  return url.href + query;
}

test.each<[string, () => string, string]>([
  ["bad syntax", () => `postgres://user:12/${password}@host/name`, "must be a PostgreSQL URL"],
  [
    "an unknown host",
    () => `postgres://${limited}:${password}@${nowhere}/${name}`,
    `the host "${nowhere}" in DATABASE_URL is not known`,
  ],
  [
    "a wrong password",
    () => changed({ password: `${password}-mistyped` }),
    `the database refuses the password of user "${limited}"`,
  ],
  ["no password", () => changed({ password: "" }), "asks for a password and DATABASE_URL has none"],
  [
    "a database nobody made",
    () => changed({ pathname: "/nobody_made_it" }),
    "does not exist: create it",
  ],
  ["a user who may not connect", () => changed({ username: guest }), `"${guest}"`],
  ["a user who may not create", () => changed({}), `grant CREATE on database "${name}"`],
  [
    "a certificate that is not there",
    () => changed({}, "&sslmode=verify-full&sslrootcert=%2Fno%2Fsuch%2Ffile.pem"),
    'names the file "/no/such/file.pem", which does not exist',
  ],
  ["TLS that is not offered", () => changed({}, "&sslmode=require"), "DATABASE_URL"],
])("%s is one sentence that names DATABASE_URL, without the password", async (_, given, told) => {
  const { code, output } = await failToStart({ DATA_DIR: dataDir(), DATABASE_URL: given() });
  expect(output).toContain(told);
  expect(code).toBe(1);
  expect(output).not.toMatch(/\n\s+at /);
  expect(output).not.toContain(password);
  const sentence = output.trim().split("\n").at(-1)!;
  expect(sentence).toMatch(/^Cannot start: .*DATABASE_URL/);
});

test("a user who may create starts a gateway, one whose password went is told so at the next start", async () => {
  const DATA_DIR = dataDir();
  const apiKey = "an-api-key-for-a-refusing-database-01";
  const adminToken = "an-admin-token-for-a-refusing-database";
  await administer(`grant create on database ${name} to ${limited}`);
  const gateway = await startProcess({
    DATA_DIR,
    DATABASE_URL: changed({}),
    VMX_BOOTSTRAP_API_KEY: apiKey,
    VMX_ADMIN_TOKEN: adminToken,
  });
  const api = (path: string, body?: unknown) =>
    fetch(`${gateway.ready.baseUrl.replace(/\/v1$/, "/api/v1")}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const ask = () =>
    fetch(`${gateway.ready.baseUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "hi" }] }),
    });
  const { data: [workspace] } = await (await api("/workspaces?includesEnvironments=true")).json();
  const { workspaceId, environments: [{ environmentId }] } = workspace;

  // While it runs, a password that was changed is an outage: nothing is lost.
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${limited}'`;
  await administer(`alter role ${limited} password 'another one'`, end);
  await expect.poll(async () => (await api("/workspaces", { name: "refused" })).status, patience)
    .toBe(503);
  const answer = await ask();
  expect(answer.status).toBe(200);
  const requestId = answer.headers.get("x-vmx-request-id");
  await expect.poll(() => gateway.output(), patience).toContain("audit records wait in the spool");
  expect(gateway.output()).toContain(`password authentication failed for user \\"${limited}\\"`);
  await administer(`alter role ${limited} password '${password}'`);
  const row = `/workspaces/${workspaceId}/environments/${environmentId}/audit/${requestId}`;
  await expect.poll(async () => (await api(row)).status, patience).toBe(200);
  expect(gateway.output()).not.toContain(password);
  expect(await gateway.end()).toBe(0);

  await administer(`alter role ${limited} password 'another one'`);
  const { code, output } = await failToStart({ DATA_DIR, DATABASE_URL: changed({}) });
  expect(code).toBe(1);
  expect(output).toContain("refuses the password");
});
