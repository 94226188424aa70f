import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** How the way to the emulator disturbs calls; undefined lets them pass. */
export type Disturbance = (operation: string) => { status: number; type: string } | undefined;

/** The moto server, which emulates KMS independently of us, behind a way that can be disturbed. */
export interface KmsEmulator {
  readonly endpoint: string;
  /** Operations that came in, such as `Decrypt`. */
  readonly calls: string[];
  disturb(disturbance: Disturbance | undefined): void;
  /** Closes the way: connections are refused. */
  cutOff(): Promise<void>;
  reconnect(): Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Starts moto, installed into a cache on first use. */
export async function startKmsEmulator(): Promise<KmsEmulator> {
  const port = await freePort();
  const child = spawn(`${await environment()}/bin/moto_server`, [
    "-H",
    "127.0.0.1",
    "-p",
    String(port),
  ], { stdio: "ignore", env: { PATH: process.env["PATH"], NO_PROXY: "*" } });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const calls: string[] = [];
  let disturbance: Disturbance | undefined;
  await answers(port);

  const way: Server = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers["x-amz-target"]).split(".").at(-1)!;
    calls.push(operation);
    const disturbed = disturbance?.(operation);
    if (disturbed) {
      incoming.resume();
      outgoing.writeHead(disturbed.status, { "content-type": "application/x-amz-json-1.1" });
      outgoing.end(JSON.stringify({ __type: disturbed.type, message: "as the test wants it" }));
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ port, host: "127.0.0.1", method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const listen = (at: number) =>
    new Promise<void>((resolve) => way.listen(at, "127.0.0.1", resolve));
  await listen(0);
  const wayPort = (way.address() as AddressInfo).port;
  const cutOff = () =>
    new Promise<void>((resolve) => {
      way.close(() => resolve());
      way.closeAllConnections();
    });
  return {
    endpoint: `http://127.0.0.1:${wayPort}`,
    calls,
    disturb: (next) => void (disturbance = next),
    cutOff,
    reconnect: () => listen(wayPort),
    async stop() {
      if (way.listening) await cutOff();
      child.kill();
      await ended;
    },
  };
}

async function environment(): Promise<string> {
  const requirements = path("./testing-requirements.txt");
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const folder = path(`../../node_modules/.cache/kms-emulator-${digest.slice(0, 12)}`);
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

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const status = await fetch(`http://127.0.0.1:${port}/moto-api/`).then(
      async (answer) => {
        await answer.body?.cancel();
        return answer.status;
      },
      () => 0,
    );
    if (status !== 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("The emulator does not answer");
}
