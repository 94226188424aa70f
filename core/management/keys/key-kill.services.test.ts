import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failToStart, startProcess, temporaryFolder } from "../../command/testing.ts";
import { startTestDatabase, type TestDatabase } from "../../store/testing.ts";
import { callApi, createConnections, keysAdminToken, reEncrypted } from "./testing.ts";

const folder = temporaryFolder();
let server: TestDatabase;
beforeAll(async () => {
  server = await startTestDatabase();
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

const [one, two] = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64"));
const total = 45;
const inTwoBatches = 40;

const environment = (keys: string) => ({
  DATA_DIR: folder.path,
  DATABASE_URL: server.url,
  LOG_LEVEL: "info",
  VMX_ADMIN_TOKEN: keysAdminToken,
  VMX_ENCRYPTION_KEYS: keys,
});

async function start(keys: string) {
  const gateway = await startProcess(environment(keys));
  const api = (method: string, path: string, body?: unknown) =>
    callApi(gateway.ready.baseUrl.replace(/\/v1$/, ""), method, path, body);
  return { ...gateway, api, progress: async () => (await api("GET", "/system/re-encrypt")).body };
}

test("a gateway killed in the middle goes on by itself when it starts again", async () => {
  const first = await start(`1:${one}`);
  await createConnections({ ...first, upstreamUrl: "http://127.0.0.1:9/v1" }, total, "credential");
  await first.end();

  const killed = await start(`1:${one},2:${two}`);
  const { statements } = await server.open();
  await statements.transaction(async (query) => {
    // Whoever comes to the last row has to wait, and is killed there.
    await query(`
      select from vmx.ai_connections
      where connection_id = (select max(connection_id::text)::uuid from vmx.ai_connections
        where config ? 'apiKey')
      for update`);
    expect((await killed.api("POST", "/system/re-encrypt", { toKeyVersion: 2 })).status).toBe(202);
    await expect.poll(async () => (await killed.progress()).done, { timeout: 10_000 })
      .toBe(inTwoBatches);
    await killed.end("SIGKILL");
  });

  // Both keys are needed now, and none can be withdrawn.
  for (const [keys, missing] of [[`2:${two}`, 1], [`1:${one}`, 2]] as const) {
    const refused = await failToStart(environment(keys));
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`stored secrets need key version ${missing} of "libsodium"`);
  }

  const next = await start(`1:${one},2:${two}`);
  expect(await next.progress()).toMatchObject({ state: "running", total, done: inTwoBatches });
  const began = performance.now();
  expect(await reEncrypted(next)).toMatchObject({ state: "idle", total, done: total, errors: [] });
  console.log(`went on after ${Math.round(performance.now() - began)} ms`);
  await next.end();
  const last = await start(`2:${two}`);
  expect(await last.progress()).toMatchObject({ state: "idle", done: total, keyVersions: [2] });
  await last.end();
}, 180_000);
