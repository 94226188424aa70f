import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The moto server, which emulates the service independently of us. */
export interface TimestreamEmulator {
  readonly endpoint: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Starts moto, installed into a cache on first use. */
export async function startTimestreamEmulator(): Promise<TimestreamEmulator> {
  const port = await freePort();
  const child = spawn(`${await environment()}/bin/moto_server`, [
    "-H",
    "127.0.0.1",
    "-p",
    String(port),
  ], { stdio: "ignore", env: { PATH: process.env["PATH"], NO_PROXY: "*" } });
  await once(child, "spawn");
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  while (!await fetch(`${endpoint}/moto-api/`).then(({ ok }) => ok, () => false)) {
    if (child.exitCode !== null) throw new Error(`The emulator ended with ${child.exitCode}`);
    await delay(100);
  }
  return {
    endpoint,
    async stop() {
      child.kill();
      await ended;
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

async function environment(): Promise<string> {
  const requirements = path("./testing-requirements.txt");
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const folder = path(`../../node_modules/.cache/timestream-emulator-${digest.slice(0, 12)}`);
  if (!existsSync(`${folder}/ready`)) {
    rmSync(folder, { recursive: true, force: true });
    await run("python3", ["-m", "venv", folder]);
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps"];
    await run(`${folder}/bin/pip`, ["install", ...options, "-r", requirements]);
    // Whoever is interrupted before leaves nothing that looks complete.
    writeFileSync(`${folder}/ready`, "");
  }
  return folder;
}
