import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CapacityStore, Log, LogFields } from "@vmx/core/contract";
import { openRedis, type RedisConnection } from "@vmx/shared-state-redis/connection";
import { createRedisStore } from "./redis-store.ts";

const run = promisify(execFile);

/** A server of the test's own, which it may stop, freeze and start again. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Starts it again on the same port, empty, after `stop`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server on a free port of the loopback interface. */
export async function startRedisServer(options: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "vmx-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const server = {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child!.pid!;
    },
    async start() {
      await mkdir(folder, { recursive: true });
      const basic = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
      child = spawn("redis-server", ["--port", String(port), ...basic, ...options], {
        stdio: "ignore",
      });
      for (let attempt = 0; attempt < 100; attempt++) {
        const answer = await run("redis-cli", ["-p", String(port), "ping"])
          .catch((error: { stdout?: string }) => error);
        // A server that wants a password is up as well.
        if (/PONG|NOAUTH/.test(answer.stdout ?? "")) return;
        await wait(50);
      }
      throw new Error(`Cannot start redis-server on port ${port}`);
    },
    async stop() {
      if (child?.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** A store with the connection below it and what was logged. */
export async function openStore(
  url: string,
  mode = "single",
): Promise<{ store: CapacityStore; connection: RedisConnection; lines: string[] }> {
  const { log, lines } = listeningLog();
  const connection = await openRedis({ url, mode }, log);
  await connection.ready(5_000);
  return { store: createRedisStore(connection), connection, lines };
}

/** A log that keeps its lines. */
export function listeningLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string, fields?: LogFields) =>
    void lines.push(fields ? `${line} ${JSON.stringify(fields)}` : line);
  return { log: { debug: write, info: write, warn: write, error: write }, lines };
}

/** Every key of the server with its value, for comparison; refusal counts and demand left out. */
export async function contents({ client }: RedisConnection): Promise<Record<string, string>> {
  const keys = (await client.keys("*")).filter((key) => !/:[dqw]:/.test(key)).sort();
  const entries = await Promise.all(keys.map(async (key) => {
    const dump = await client.dumpBuffer(key);
    return [key, `${dump?.toString("hex")} ${await client.pexpiretime(key)}`] as const;
  }));
  return Object.fromEntries(entries);
}

export function wait(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
