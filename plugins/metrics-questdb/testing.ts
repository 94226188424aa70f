import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A QuestDB in the hands of a test. */
export interface TestServer {
  readonly address: string;
  stop(): Promise<void>;
}

const version = "9.1.0";
// Pinned as well: Maven itself takes the newest.
const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
const run = promisify(execFile);

/** Starts the real server (needs `java` and `mvn`) on a folder of its own. */
export async function startTestServer(): Promise<TestServer> {
  const jar = await serverJar();
  const folder = mkdtempSync(join(tmpdir(), "vmx-questdb-"));
  const port = await freePort();
  const module = ["-p", jar, "-m", "io.questdb/io.questdb.ServerMain"];
  const child = spawn("java", ["-XX:+UseSerialGC", "-Xmx512m", ...module, "-d", folder], {
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
  await once(child, "spawn");
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const address = `http://127.0.0.1:${port}`;
  while (!await fetch(`${address}/exec?query=select+1`).then(({ ok }) => ok, () => false)) {
    if (child.exitCode !== null) throw new Error(`QuestDB ended with ${child.exitCode}`);
    await delay(200);
  }
  return {
    address,
    async stop() {
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Path of the server's jar, fetched into a cache on first use. */
async function serverJar(): Promise<string> {
  const folder = fileURLToPath(new URL("../../node_modules/.cache/questdb", import.meta.url));
  const jar = join(folder, `questdb-${version}.jar`);
  if (!existsSync(jar)) {
    await run("mvn", [
      "--batch-mode",
      "--quiet",
      "--non-recursive",
      `${plugin}:copy`,
      `-Dartifact=org.questdb:questdb:${version}`,
      `-DoutputDirectory=${folder}`,
    ], { cwd: tmpdir() });
  }
  return jar;
}
