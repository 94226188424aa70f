import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestDatabase, type TestDatabase } from "../store/testing.ts";
import { type GatewayProcess, temporaryFolder } from "./testing.ts";
import { leaveRoom, startGateways, type TestGateways, workersOf } from "./testing-gateways.ts";

/* One gateway of four processes, and four gateways of one, on a store they share. */

const folders = Array.from({ length: 5 }, temporaryFolder);
const [own, ...others] = folders.map(({ path }) => path) as [string, ...string[]];
const store = { REDIS_URL: process.env["VMX_TEST_REDIS_URL"]! };
let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(async () => {
  await database?.stop();
  for (const folder of folders) folder.remove();
});

test.each<[string, string[], Record<string, string>]>([
  ["one gateway of four processes", [own], { VMX_PROCESSES: "4" }],
  ["four gateways", others, {}],
])("%s admit exactly 100 of 200 parallel requests", async (_name, dataDirs, settings) => {
  // Several processes start the embedded database themselves; several gateways need one they share.
  const gateways = await startGateways(dataDirs, {
    ...store,
    ...settings,
    ...(dataDirs.length > 1 ? { DATABASE_URL: database.url } : {}),
  });
  try {
    if (settings["VMX_PROCESSES"]) expect(workersOf(gateways.all[0]!)).toHaveLength(4);
    await limit(gateways, { period: "minute", requests: 100 });
    await leaveRoom(20_000);
    const asked = Array.from({ length: 200 }, async (_, index) => {
      const response = await gateways.ask("demo", { at: index % dataDirs.length });
      await response.text();
      return response.status;
    });
    const statuses = await Promise.all(asked);
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
  } finally {
    await gateways.end();
  }
});

test("told to stop, all processes finish their streams and the gateway ends with 0", async () => {
  const gateways = await startGateways([own], {
    ...store,
    VMX_PROCESSES: "3",
    VMX_DRAIN_SECONDS: "20",
  });
  const [gateway] = gateways.all as [GatewayProcess];
  const pids = workersOf(gateway);
  // The installation is the one whose minute another test used up.
  await limit(gateways, { period: "day", requests: 1_000 });
  const streams = await Promise.all(Array.from({ length: 9 }, () => startStream(gateways)));
  // As a service manager does, which signals the whole group.
  for (const pid of pids) process.kill(pid, "SIGTERM");
  const ended = gateway.end();
  for (const rest of streams) expect(await rest()).toMatch(/data: \[DONE\]\s*$/);
  expect(await ended).toBe(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
});

test("each process serves its own metrics, on ports counted up from the first", async () => {
  const port = await freePorts(2);
  const gateways = await startGateways([own], {
    ...store,
    VMX_PROCESSES: "2",
    VMX_METRICS_ENABLED: "true",
    VMX_METRICS_PORT: String(port),
  });
  try {
    await limit(gateways, { period: "day", requests: 1_000 });
    for (let asked = 0; asked < 6; asked++) await (await gateways.ask("demo")).text();
    const counted = () =>
      Promise.all([port, port + 1].map(async (each) => {
        const text = await (await fetch(`http://127.0.0.1:${each}/metrics`)).text();
        return Number(/^vmx_gateway_requests_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
      }));
    await expect.poll(async () => (await counted()).reduce((sum, each) => sum + each), {
      timeout: 20_000,
    }).toBe(6);
  } finally {
    await gateways.end();
  }
});

/** The first of so many ports in a row that nobody uses. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const servers = [createServer().listen(0, "127.0.0.1")];
    await once(servers[0]!, "listening");
    const { port } = servers[0]!.address() as AddressInfo;
    for (let next = 1; next < count; next++) {
      servers.push(createServer().listen(port + next, "127.0.0.1"));
    }
    const free = await Promise.all(
      servers.slice(1).map((server) => once(server, "listening").then(() => true, () => false)),
    );
    for (const server of servers) server.close();
    if (!free.includes(false)) return port;
  }
}

test("a killed process is replaced, and what it had reserved returns", async () => {
  const gateways = await startGateways([own], {
    ...store,
    VMX_PROCESSES: "2",
    VMX_DRAIN_SECONDS: "1",
  });
  const [gateway] = gateways.all as [GatewayProcess];
  try {
    const place = `${gateways.environment}/capacity`;
    await limit(gateways, { period: "day", requests: 1_000 });
    const requests = async () => (await gateways.manage("GET", place)).data[0].requests;
    const before = (await requests()).used;
    const hanging = Array.from(
      { length: 8 },
      () => gateways.ask("echo/echo-slow-60000ms").then((response) => response.status, () => "cut"),
    );
    await expect.poll(async () => (await requests()).reserved, { timeout: 20_000 }).toBe(8);
    const [victim, survivor] = workersOf(gateway) as [number, number];
    process.kill(victim, "SIGKILL");
    expect(await Promise.race(hanging)).toBe("cut");
    // The other one serves on; a connection that was kept with the victim is noticed by its first use.
    await expect.poll(() => gateways.ask("demo").then(({ status }) => status, () => "cut"), {
      timeout: 20_000,
    }).toBe(200);
    await expect.poll(() => workersOf(gateway).filter((pid) => pid !== victim), { timeout: 30_000 })
      .toHaveLength(2);
    expect(workersOf(gateway)).toContain(survivor);
    await expect.poll(() => gateway.output()).toContain("A process ended unexpectedly");
    // The survivor's requests are still running: what returned is the victim's part.
    await expect.poll(async () => (await requests()).used, { timeout: 50_000, interval: 500 })
      .toBeLessThan(before + 1 + 8);
    const { used, reserved } = await requests();
    expect(reserved).toBeGreaterThan(0);
    expect(used).toBe(before + 1 + reserved);
    expect(await gateway.end()).toBe(0);
    await Promise.all(hanging);
  } finally {
    await gateways.end();
  }
});

async function limit({ manage, environment }: TestGateways, entry: object): Promise<void> {
  const connections = `${environment}/ai-connections`;
  const { data: [{ connectionId }] } = await manage("GET", connections);
  await manage("PATCH", `${connections}/${connectionId}`, { capacity: [entry] });
  // Every process reads the change within its next poll.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
}

/** Answers, once the stream has begun, how to read it to its end. */
async function startStream({ ask }: TestGateways): Promise<() => Promise<string>> {
  const response = await ask("echo/echo-tokens-30-pace-100ms", { stream: true });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  return async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += next.value;
    return text;
  };
}
