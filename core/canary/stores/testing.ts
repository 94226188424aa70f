import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

/* Servers of a test's own, with passwords, that write down everything they are told. */

const run = promisify(execFile);

/** A PostgreSQL that asks for a password and logs every statement with its parameters. */
export interface TestPostgres {
  readonly url: string;
  /** Holds the database's files and the server's log. */
  readonly folder: string;
  /** Everything in it as SQL. */
  dump(): Promise<Buffer>;
  /** Runs a statement. */
  query(statement: string): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a PostgreSQL in a folder of its own, which must be reachable for everybody. */
export async function startPostgres(folder: string, password: string): Promise<TestPostgres> {
  const installed = readdirSync("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a))[0];
  const binary = (name: string) => `/usr/lib/postgresql/${installed}/bin/${name}`;
  const isRoot = process.getuid?.() === 0;
  const home = join(folder, "postgres");
  const data = join(home, "data");
  const passwordFile = join(home, "password");
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (isRoot) {
    const [uid, gid] = await Promise.all(["-u", "-g"].map(async (flag) => {
      return Number((await run("id", [flag, "postgres"])).stdout);
    }));
    for (const path of [home, passwordFile]) chownSync(path, uid!, gid!);
  }
  // The server refuses to run as root.
  const asServer = (program: string, args: readonly string[]) =>
    isRoot
      ? run("runuser", ["-u", "postgres", "--", program, ...args], { cwd: "/" })
      : run(program, args, { cwd: "/" });
  await asServer(binary("initdb"), [
    ...["-D", data, "-U", "vmx", "-E", "UTF8", "--no-sync", "--auth=scram-sha-256"],
    `--pwfile=${passwordFile}`,
  ]);
  // The only copy that is not the server's own is what the gateway is told.
  await asServer("rm", [passwordFile]);
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: home,
    fsync: "off",
    log_statement: "all",
    log_parameter_max_length: -1,
    log_parameter_max_length_on_error: -1,
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`).join(" ");
  const log = join(home, "log");
  const control = async (...args: string[]) => {
    await asServer(binary("pg_ctl"), [...args, "-w", "-D", data, "-l", log, "-o", options]);
  };
  const environment = { ...process.env, PGPASSWORD: password, LC_ALL: "C.UTF-8" };
  const place = ["-h", "127.0.0.1", "-p", String(port), "-U", "vmx"];
  await control("start");
  await run(binary("createdb"), [...place, "canary"], { env: environment });
  return {
    url: `postgres://vmx:${encodeURIComponent(password)}@127.0.0.1:${port}/canary`,
    folder: home,
    async dump() {
      const dump = await run(binary("pg_dumpall"), place, {
        env: environment,
        encoding: "buffer",
        maxBuffer: 2 ** 30,
      });
      return dump.stdout;
    },
    async query(statement) {
      await run(binary("psql"), [...place, "-d", "canary", "-c", statement], { env: environment });
    },
    start: () => control("start"),
    stop: () => control("stop", "-m", "immediate"),
  };
}

/** A Redis that asks for a password. */
export interface TestRedis {
  readonly url: string;
  /** Every command it was given, as its `MONITOR` tells. */
  readonly monitored: Buffer[];
  /** Sends a command and answers the beginning of the reply. */
  command(line: string): Promise<string>;
  /** Everything in it, as its file. */
  readonly file: string;
  stop(): Promise<void>;
}

/** Starts a Redis in a folder. */
export async function startRedis(folder: string, password: string): Promise<TestRedis> {
  const port = await freePort();
  const child = spawn("redis-server", ["-"], { stdio: ["pipe", "pipe", "pipe"] });
  // By this way the password is no argument that every process can read.
  child.stdin.end([
    ...[`port ${port}`, "bind 127.0.0.1", 'save ""', "appendonly no", `dir ${folder}`],
    // So that texts stand in the file as they are.
    ...["rdbcompression no", "maxmemory-policy noeviction"],
    `requirepass ${JSON.stringify(password)}`,
    // Who watches stays when the others are sent away.
    "user watcher on nopass ~* &* +@all",
  ].join("\n"));
  await output(child, "Ready to accept connections");
  const monitored: Buffer[] = [];
  const open = async (): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await answerTo(socket, "AUTH watcher any");
    return socket;
  };
  const monitor = await open();
  await answerTo(monitor, "MONITOR");
  monitor.on("data", (piece) => monitored.push(Buffer.from(piece)));
  const control = await open();
  return {
    url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/0`,
    monitored,
    file: join(folder, "dump.rdb"),
    command: (line) => answerTo(control, line),
    async stop() {
      monitor.destroy();
      control.destroy();
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function answerTo(socket: Socket, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error("The connection ended"));
    socket.once("close", fail);
    socket.once("data", (answer) => {
      socket.off("close", fail);
      resolve(answer.toString("utf8"));
    });
    socket.write(`${line}\r\n`);
  });
}

function output(child: ChildProcess, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (piece) => {
      text += piece;
      if (text.includes(wanted)) resolve();
    });
    child.once("close", () => reject(new Error(`The server ended:\n${text}`)));
  });
}

/** A port nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
