import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import process from "node:process";
import { metricSinkCases, runCases } from "@vmx/core/conformance";
import { afterAll, expect, test } from "vitest";
import { createServer } from "./server.ts";
import { createSink } from "./sink.ts";

/** Path of the server's jar; the set-up of the services tests provides it. */
const jar = process.env["VMX_TEST_QUESTDB_JAR"];
if (!jar || !existsSync(jar)) {
  throw new Error("Cannot test against QuestDB: VMX_TEST_QUESTDB_JAR names no file");
}

const folder = mkdtempSync(join(tmpdir(), "vmx-questdb-"));
const port = await freePort();
const child = spawn("java", [
  "-XX:+UseSerialGC",
  "-Xmx512m",
  "-p",
  jar,
  "-m",
  "io.questdb/io.questdb.ServerMain",
  "-d",
  folder,
], {
  stdio: "ignore",
  env: {
    ...process.env,
    QDB_HTTP_BIND_TO: `127.0.0.1:${port}`,
    QDB_HTTP_MIN_ENABLED: "false",
    QDB_PG_ENABLED: "false",
    QDB_LINE_TCP_ENABLED: "false",
    QDB_TELEMETRY_ENABLED: "false",
  },
});
const address = `http://127.0.0.1:${port}`;
await isUp();
afterAll(async () => {
  child.kill("SIGKILL");
  await new Promise((resolve) =>
    child.exitCode === null ? child.once("exit", resolve) : resolve(0)
  );
  rmSync(folder, { recursive: true, force: true });
});

let tables = 0;

await runCases(
  "metric sink questdb",
  metricSinkCases({
    create: () => Promise.resolve(createSink(createServer(address, fetch), `usage_${tables++}`)),
    createAway: async () =>
      createSink(createServer(`http://127.0.0.1:${await freePort()}`, fetch), "t"),
    settleMs: 10_000,
  }),
);

test("days of a calendar that moves its clock are counted in their own lengths", async () => {
  const sink = createSink(createServer(address, fetch), "calendar");
  const days = ["2026-03-27T23:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-30T22:00Z"]
    .map((text) => Date.parse(text));
  const place = { workspaceId: "w", environmentId: "e" };
  await sink.record(days.flatMap((day, index) =>
    [0, 1].map((leg) => ({
      at: day + leg,
      leg,
      measures: { totalTokens: index + 1 },
      dimensions: { ...place, requestId: String(index) },
    }))
  ));
  const end = days[3]!;
  const ask = () =>
    sink.query!({
      ...place,
      start: days[0]!,
      end,
      bucketStarts: days.slice(0, 3),
      granularity: "day",
      timeZone: "Europe/Berlin",
      dimensions: [],
      filters: [],
      aggregates: [{ measure: "totalTokens", function: "sum" }],
    });
  for (let round = 0; round < 50 && (await ask()).length < 3; round++) await delay(100);
  expect((await ask()).map(({ bucket, values }) => [bucket, ...values])).toEqual([
    [0, 2],
    [1, 4],
    [2, 6],
  ]);
  await sink.close();
});

async function isUp(): Promise<void> {
  for (let round = 0; round < 300; round++) {
    const answer = await fetch(`${address}/exec?query=select+1`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(200);
  }
  throw new Error("QuestDB does not start");
}

async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address() as { port: number };
  await new Promise((resolve) => socket.close(resolve));
  return port;
}
