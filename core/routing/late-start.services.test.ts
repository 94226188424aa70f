import { randomBytes, randomUUID } from "node:crypto";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../command/testing.ts";
import { startGateways, type TestGateways } from "../command/testing-gateways.ts";
import { startTestDatabase, type TestDatabase } from "../store/testing.ts";

/* Gateways that start when others have called for a while, each a process of its own, on one database and Redis. */

const folders = Array.from({ length: 4 }, temporaryFolder);
const running = new Set<TestGateways>();
let database: TestDatabase;
let settings: Record<string, string>;
let resource: string;

beforeAll(async () => {
  database = await startTestDatabase();
  settings = {
    DATABASE_URL: database.url,
    REDIS_URL: process.env["VMX_TEST_REDIS_URL"]!,
    VMX_REDIS_PREFIX: `late-start.${randomUUID()}`,
    VMX_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
  };
});
afterAll(async () => {
  for (const gateways of running) await gateways.end();
  await database?.stop();
  for (const folder of folders) folder.remove();
});

async function start(at: number, further: Record<string, string> = {}): Promise<TestGateways> {
  const gateways = await startGateways([folders[at]!.path], { ...settings, ...further });
  running.add(gateways);
  return gateways;
}

async function end(gateways: TestGateways): Promise<void> {
  running.delete(gateways);
  await gateways.end();
}

const errorRate = ({ manage, environment }: TestGateways) =>
  manage("GET", `${environment}/ai-resources/${resource}/error-rate`);
const patience = { timeout: 20_000, interval: 50 };

test("a process that starts knows the calls of others, also of those that have ended", async () => {
  const first = await start(0);
  const { manage, environment } = first;
  const { connectionId } = await manage("POST", `${environment}/ai-connections`, {
    name: "nobody-listens",
    provider: "openai-compatible",
    config: { baseUrl: "http://127.0.0.1:9/v1" },
  });
  ({ resourceId: resource } = await manage("POST", `${environment}/ai-resources`, {
    name: "failing",
    model: { connectionId, model: "any" },
  }));
  for (let call = 0; call < 7; call++) expect((await first.ask("failing")).status).toBe(502);
  expect(await errorRate(first)).toMatchObject({ totalFailed: 7 });

  // What is told once a second has been told when another gateway has started, which takes longer.
  const second = await start(1);
  const since = performance.now();
  await expect.poll(async () => (await errorRate(second)).totalFailed, patience).toBe(7);
  console.log(`known ${Math.round(performance.now() - since)} ms after the start`);
  expect((await second.ask("failing")).status).toBe(502);
  for (const one of [first, second]) {
    await expect.poll(async () => (await errorRate(one)).totalFailed, patience).toBe(8);
  }
  expect((await second.ask("failing")).status).toBe(502);
  // Whoever leaves tells what it knows; then nobody is left.
  await end(first);
  await end(second);
  const third = await start(2);
  await expect.poll(async () => (await errorRate(third)).totalFailed, patience).toBe(9);
  expect(await errorRate(third)).toMatchObject({ errorRate: 100, totalRequests: 9 });

  // Another installation on that Redis knows nothing of it.
  const other = await start(3, { VMX_REDIS_PREFIX: `other.${randomUUID()}` });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await errorRate(other)).toMatchObject({ totalRequests: 0 });
}, 180_000);
