import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { startEmbedded } from "../store/embedded.ts";
import { disposable, silentLog } from "../store/testing.ts";
import { failToStart, startProcess, temporaryFolder } from "./testing.ts";

const folders: { remove(): void }[] = [];
afterAll(() => folders.forEach((folder) => folder.remove()));

function dataDir(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder.path;
}

const run = promisify(execFile);

test(
  "the first run prints a curl line that works, later runs keep what it made and print no secret",
  async () => {
    const DATA_DIR = dataDir();
    const first = await startProcess({ DATA_DIR });
    const { stdout } = await run("sh", ["-c", first.ready.curl!]);
    expect(JSON.parse(stdout).choices[0].message.content).toBe("Hello from VM-X");
    expect(first.ready.password).toHaveLength(20);
    expect(await first.end()).toBe(0);

    const second = await startProcess({ DATA_DIR });
    expect(second.output()).not.toContain(first.ready.apiKey);
    expect(second.output()).not.toContain(first.ready.password);
    expect(second.ready.curl).toBeUndefined();
    const answer = await ask(second.ready.baseUrl, first.ready.apiKey!);
    expect(answer.status).toBe(200);
    expect(await second.end()).toBe(0);
  },
  60_000,
);

test(
  "operators choose key, password and token themselves, and nothing secret is printed when quiet",
  async () => {
    const key = "an-api-key-chosen-by-the-operator-0123456789";
    const token = "an-admin-token-chosen-by-the-operator-0123";
    const gateway = await startProcess({
      DATA_DIR: dataDir(),
      VMX_BOOTSTRAP_API_KEY: key,
      VMX_ADMIN_PASSWORD: "correct horse battery staple",
      VMX_ADMIN_TOKEN: token,
      VMX_BOOTSTRAP_QUIET: "true",
      OPENAI_API_KEY: "sk-from-the-environment-0123456789",
    });
    expect(gateway.output()).not.toContain(key);
    expect((await ask(gateway.ready.baseUrl, key)).status).toBe(200);
    const api = gateway.ready.baseUrl.replace(/\/v1$/, "/api/v1");
    const headers = { authorization: `Bearer ${token}` };
    const workspaces = await (await fetch(`${api}/workspaces`, { headers })).json();
    expect(workspaces.data[0].name).toBe("default");
    const models = await (await fetch(`${gateway.ready.baseUrl}/models`, {
      headers: { authorization: `Bearer ${key}` },
    })).json();
    expect(models.data.map(({ id }: { id: string }) => id)).toEqual(["demo", "openai-default"]);
    const login = await fetch(`${api}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "admin", password: "correct horse battery staple" }),
    });
    expect(login.status).toBe(200);
    expect(gateway.output()).not.toContain("sk-from-the-environment");
    expect(await gateway.end()).toBe(0);
  },
  60_000,
);

test("a killed gateway starts again on its data", async () => {
  const DATA_DIR = dataDir();
  const first = await startProcess({ DATA_DIR });
  await first.end("SIGKILL");
  const second = await startProcess({ DATA_DIR });
  expect((await ask(second.ready.baseUrl, first.ready.apiKey!)).status).toBe(200);
  expect(await second.end()).toBe(0);
}, 60_000);

test("with a database of the operator's own the data folder is made as well", async () => {
  const DATA_DIR = join(dataDir(), "not/there/yet");
  const database = await startEmbedded({
    dataDir: dataDir(),
    log: silentLog,
    settings: disposable,
  });
  try {
    const gateway = await startProcess({ DATA_DIR, DATABASE_URL: database.url });
    expect((await ask(gateway.ready.baseUrl, gateway.ready.apiKey!)).status).toBe(200);
    expect(existsSync(join(DATA_DIR, "encryption.key"))).toBe(true);
    expect(await gateway.end()).toBe(0);
  } finally {
    await database.stop();
  }
}, 60_000);

test("a second gateway on the same data folder says so and exits with 1", async () => {
  const DATA_DIR = dataDir();
  const first = await startProcess({ DATA_DIR });
  const second = await failToStart({ DATA_DIR });
  expect(second.code).toBe(1);
  expect(plainSentence(second.output)).toMatch(/another gateway|second gateway|already/i);
  expect((await ask(first.ready.baseUrl, first.ready.apiKey!)).status).toBe(200);
  expect(await first.end()).toBe(0);
}, 60_000);

test("a taken port is one plain sentence and exit code 1", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const failed = await failToStart({ DATA_DIR: dataDir(), PORT: String(port) });
  server.close();
  expect(failed.code).toBe(1);
  expect(plainSentence(failed.output)).toContain(`127.0.0.1:${port}`);
}, 60_000);

test.each([
  [{ PORT: "no" }, "PORT"],
  [{ VMX_ADMIN_TOKEN: "short-secret" }, "VMX_ADMIN_TOKEN"],
  [{ DATABASE_URL: "mysql://user:pa55word@host/db" }, "DATABASE_URL"],
  [{ VMX_ENCRYPTION_KEYS: "1:not-a-key" }, "VMX_ENCRYPTION_KEYS"],
  [{ REDIS_URL: "redis://:pa55word@127.0.0.1:1", VMX_REDIS_PREFIX: "{env}" }, "VMX_REDIS_PREFIX"],
])("the broken setting %j is named and its secret is not shown", async (environment, name) => {
  const failed = await failToStart({ DATA_DIR: dataDir(), ...environment });
  expect(failed.code).toBe(1);
  expect(plainSentence(failed.output)).toContain(name);
  for (const secret of ["short-secret", "pa55word", "not-a-key"]) {
    expect(failed.output).not.toContain(secret);
  }
}, 60_000);

test("a gateway that is told to stop finishes what runs and refuses what is new", async () => {
  const gateway = await startProcess({ DATA_DIR: dataDir(), VMX_DRAIN_SECONDS: "5" });
  const { baseUrl, apiKey } = gateway.ready;
  const stream = (await ask(baseUrl, apiKey!, "echo/echo-tokens-20-pace-100ms", true)).body!
    .pipeThrough(new TextDecoderStream()).getReader();
  let text = (await stream.read()).value!;
  const ended = gateway.end();
  const readiness = await fetch(baseUrl.replace(/\/v1$/, "/readyz"));
  expect(readiness.status).toBe(503);
  for (let next = await stream.read(); !next.done; next = await stream.read()) text += next.value;
  expect(text).toMatch(/data: \[DONE\]\s*$/);
  expect(await ended).toBe(0);
}, 60_000);

test("several processes without a store they share are refused in one plain sentence", async () => {
  const failed = await failToStart({
    DATA_DIR: dataDir(),
    VMX_PROCESSES: "2",
    // Refused before anybody connects to it.
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
  });
  expect(failed.code).toBe(1);
  const sentence = plainSentence(failed.output);
  expect(sentence).toContain('the capacity store "memory" serves one process alone');
  expect(sentence).toContain("VMX_PROCESSES=1");
  expect(failed.output.split("Cannot start")).toHaveLength(2);
}, 60_000);

function ask(
  baseUrl: string,
  key: string,
  model = "demo",
  stream = false,
): Promise<Response> {
  return fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "hi" }] }),
  });
}

/** The last line, which must not be a stack trace. */
function plainSentence(output: string): string {
  expect(output).not.toMatch(/\n\s+at /);
  return output.trim().split("\n").at(-1)!;
}
