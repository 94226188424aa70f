import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../contract/plugin.ts";
import { commandLine, processIdentity } from "./process-identity.ts";
import { as, serverEnv, type ServiceUser } from "./service-user.ts";
import { StartError } from "../../start-error.ts";

/** Major version of the binaries; data of another one does not start. */
const majorVersion = "18";
const startTimeoutMs = 120_000;

/** What a server is started with. */
export interface ServerOptions {
  readonly bin: string;
  readonly data: string;
  readonly socketFolder: string;
  readonly user: ServiceUser | undefined;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  /** Server settings beside the built-in ones. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** A running server. */
export interface Server {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/** Creates the database unless it exists. Answers whether it did. */
export async function createData(options: ServerOptions): Promise<boolean> {
  const { data, log } = options;
  const versionFile = join(data, "PG_VERSION");
  if (existsSync(versionFile)) {
    const version = readFileSync(versionFile, "utf8").trim();
    if (version === majorVersion) return false;
    throw new StartError(
      `Cannot start the embedded database: ${data} was made by PostgreSQL ${version}, this gateway ` +
        `brings ${majorVersion}. Restore a backup into a new data folder`,
    );
  }
  const partial = `${data}.partial`;
  const locale = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin"];
  await initdb(
    options,
    ["-D", partial, "-U", "vmx", "-A", "trust", ...locale]
      .concat("--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"),
  );
  renameSync(partial, data);
  if (options.settings?.fsync === "off") return true;
  // Flushing the new files may take seconds on a slow disk and need not hold up the start.
  initdb(options, ["--sync-only", "-D", data]).catch((error) => {
    log.warn("embedded database: cannot flush the new files", { error });
  });
  return true;
}

/** Starts the server and waits until it takes connections. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { bin, data, log, signal } = options;
  const child = spawn(join(bin, "postgres"), ["-D", data, ...settings(options)], {
    cwd: "/",
    env: serverEnv,
    // A group of its own: Ctrl-C must reach the gateway, which still needs its database to drain.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    ...as(options.user),
  });
  const output = readOutput(child, log);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      output.push(error.message);
      resolve();
    });
  });
  let isOver = false;
  void exited.then(() => isOver = true);
  child.unref();
  const giveUpAt = performance.now() + startTimeoutMs;
  while (!isReady(data, child.pid)) {
    if (isOver || signal?.aborted || performance.now() > giveUpAt) {
      if (!isOver) child.kill("SIGQUIT");
      signal?.throwIfAborted();
      const reason = output.slice(-5).join("; ") || "it did not become ready";
      throw new StartError(`Cannot start the embedded database in ${data}: ${reason}`);
    }
    await delay(4);
  }
  const pid = child.pid!;
  return { pid, exited, stop: () => end(pid, () => isOver) };
}

/**
 * Stops the server a killed gateway left behind. Only the owner of the data folder may call it.
 *
 * @throws StartError when a server answers on the folder that this process cannot see, as from another container
 */
export async function stopOrphan(data: string, log: Log): Promise<void> {
  const lines = pidFile(data);
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const identity = processIdentity(pid);
  const command = commandLine(pid);
  if (identity !== undefined && command.includes("postgres") && command.includes(data)) {
    log.info(`Stopping the database server (process ${pid}) a killed gateway left behind`);
    await end(pid, () => processIdentity(pid) !== identity);
    return;
  }
  const socketFolder = lines[4];
  if (socketFolder && await answers(join(socketFolder, `.s.PGSQL.${lines[3]}`))) {
    throw new StartError(
      `Cannot start the embedded database: a server this process cannot see is running on ${data}, ` +
        "perhaps in another container. Stop it first",
    );
  }
}

function settings({ socketFolder, settings: further }: ServerOptions): string[] {
  const values = {
    listen_addresses: "",
    unix_socket_directories: socketFolder,
    unix_socket_permissions: "0700",
    max_connections: "60",
    shared_buffers: "32MB",
    min_wal_size: "32MB",
    max_wal_size: "256MB",
    io_method: "sync",
    max_parallel_workers: "0",
    jit: "off",
    log_min_messages: "warning",
    log_line_prefix: "",
    log_min_error_statement: "panic",
    timezone: "UTC",
    log_timezone: "UTC",
    ...further,
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

// Fast shutdown first; then without a checkpoint; then without asking.
async function end(pid: number, isOver: () => boolean): Promise<void> {
  for (
    const [signal, patienceMs] of [["SIGINT", 10_000], ["SIGQUIT", 5_000], [
      "SIGKILL",
      5_000,
    ]] as const
  ) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const giveUpAt = performance.now() + patienceMs;
    while (performance.now() < giveUpAt) {
      if (isOver()) return;
      await delay(5);
    }
  }
}

function isReady(data: string, pid: number | undefined): boolean {
  const lines = pidFile(data);
  return Number(lines[0]) === pid && lines[7]?.trim() === "ready";
}

function pidFile(data: string): string[] {
  try {
    return readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return [];
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}

async function initdb({ bin, user, log, signal }: ServerOptions, args: string[]): Promise<void> {
  const child = spawn(join(bin, "initdb"), args, {
    cwd: "/",
    env: serverEnv,
    stdio: ["ignore", "ignore", "pipe"],
    ...(signal ? { signal } : {}),
    ...as(user),
  });
  const output = readOutput(child, log);
  const status = await new Promise<number | null>((resolve, reject) => {
    let failure: Error | undefined;
    child.once("error", (error) => {
      failure = error;
      // One that never ran never closes.
      if (child.pid === undefined) reject(error);
    });
    // An aborted one takes its files away before it ends: who starts meanwhile would lose theirs.
    child.once("close", (code) => failure ? reject(failure) : resolve(code));
  });
  if (status === 0) return;
  throw new StartError(`Cannot create the embedded database: ${output.slice(-5).join("; ")}`);
}

function readOutput(child: ChildProcess, log: Log): string[] {
  const lines: string[] = [];
  let rest = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line.trim() === "") continue;
      log.debug("embedded database", { line });
      lines.push(line.trim());
      if (lines.length > 50) lines.shift();
    }
  });
  if (child.stderr && "unref" in child.stderr) (child.stderr.unref as () => void)();
  return lines;
}
