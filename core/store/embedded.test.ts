import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from "./embedded.ts";
import { findBinaries } from "./embedded/binaries.ts";
import { commandLine, processIdentity } from "./embedded/process-identity.ts";
import { disposable, silentLog } from "./testing.ts";

const isRoot = process.getuid?.() === 0;
const root = mkdtempSync(join(tmpdir(), "vmx-embedded-"));
chmodSync(root, 0o755);
const template = join(root, "template");
let folder: string;
let running: EmbeddedDatabase[] = [];
let tests = 0;

// Creating a database is half a second of work: tests that are about something else start from a copy.
beforeAll(async () => {
  const options = { dataDir: template, log: silentLog, settings: disposable };
  await (await startEmbedded(options)).stop();
}, 60_000);
beforeEach(() => {
  folder = join(root, String(tests++));
  mkdirSync(folder);
});
afterEach(async () => {
  await Promise.all(running.map((database) => database.stop()));
  running = [];
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("the first start creates the database, later ones keep it and are quick", async () => {
  const startedAt = performance.now();
  const first = await start();
  const createdMs = performance.now() - startedAt;
  await query(first.url, "create table kept (value text)");
  await query(first.url, "insert into kept values ('yes')");
  await first.stop();

  const restartedAt = performance.now();
  const second = await start();
  // Against each other, not against a clock: the machine may be busy.
  expect(performance.now() - restartedAt).toBeLessThan(createdMs / 2);
  expect(await query(second.url, "select value from kept")).toEqual([{ value: "yes" }]);
});

test("the server listens on a private unix socket only, makes writes durable, and knows no secret of ours", async () => {
  process.env.VMX_TEST_SECRET = "must-not-travel";
  const { url, pid } = await start({ settings: {} }).finally(() =>
    delete process.env.VMX_TEST_SECRET
  );
  const [settings] = await query(
    url,
    `select current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit, lower('ÄÖ') as lower`,
  );
  expect(settings).toEqual({ addresses: "", fsync: "on", commit: "on", lower: "äö" });
  const socket = new URL(url).searchParams.get("host")!;
  expect(statSync(socket).mode & 0o777).toBe(0o700);
  expect(statSync(dataDir()).mode & 0o777).toBe(0o700);
  if (process.platform === "linux") {
    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain("must-not-travel");
  }
});

test.runIf(isRoot)(
  "started by root the server runs as postgres or nobody, inside the data folder",
  async () => {
    useTemplate();
    const database = await start();
    const uid = Number(
      /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${database.pid}/status`, "utf8"))![1],
    );
    expect(uid).toBeGreaterThan(0);
    const name = readFileSync("/etc/passwd", "utf8").split("\n")
      .find((line) => line.split(":")[2] === String(uid))?.split(":")[0];
    expect(["postgres", "nobody"]).toContain(name);
    expect(database.location).toBe(join(dataDir(), "postgres"));
    expect(database.isOutside).toBe(false);
  },
);

test.runIf(isRoot)(
  "under a folder only root may enter, programs and data go outside, said in one line",
  async () => {
    chmodSync(folder, 0o700);
    const binaries = copyPackage();
    const lines: string[] = [];
    const log = { ...silentLog, info: (line: string) => void lines.push(line) };
    const outside = join(root, "outside");
    const first = await start({ binaries, outside, log });
    expect(first.isOutside).toBe(true);
    expect(first.location.startsWith(outside)).toBe(true);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(first.location);
    expect(lines[0]).toContain(join(outside, "postgresql-"));
    await query(first.url, "create table kept (value text)");
    await first.stop();

    const second = await start({ binaries, outside });
    expect(second.location).toBe(first.location);
    expect(await query(second.url, "select * from kept")).toEqual([]);
    expect(readdirSync(outside).filter((name) => name.startsWith("postgresql-"))).toHaveLength(1);
  },
);

test.runIf(isRoot)(
  "a data folder made anew does not meet the database of its predecessor",
  async () => {
    chmodSync(folder, 0o700);
    const outside = join(root, "outside");
    const first = await start({ outside });
    await first.stop();
    rmSync(dataDir(), { recursive: true });
    expect((await start({ outside })).location).not.toBe(first.location);
  },
);

test.runIf(isRoot)("data made by another user is handed to the service user", async () => {
  useTemplate();
  const first = await start();
  await first.stop();
  chownSync(join(dataDir(), "postgres/data"), 0, 0);
  expect(await query((await start()).url, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("library links that skipped install scripts left out are restored", async () => {
  useTemplate();
  const binaries = copyPackage();
  removeLinks(binaries);
  const database = await start({ binaries });
  expect(await query(database.url, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(lstatSync(join(binaries, "native/lib/libpq.so.5")).isSymbolicLink()).toBe(true);
});

test("a socket path the system would refuse moves to a private temporary folder and leaves with the server", async () => {
  const deep = join(folder, "a".repeat(60), "b".repeat(60));
  const database = await start({ dataDir: deep });
  const socket = new URL(database.url).searchParams.get("host")!;
  expect(socket.length).toBeLessThan(100);
  expect(socket.startsWith(root)).toBe(false);
  expect(statSync(socket).mode & 0o777).toBe(0o700);
  expect(await query(database.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await database.stop();
  expect(existsSync(socket)).toBe(false);
});

test(
  "a server orphaned by SIGKILL is found, stopped and replaced, and nothing committed is lost",
  async () => {
    useTemplate();
    const orphan = await startElsewhere("create table kept (value text)", "SIGKILL");
    expect(processIdentity(orphan)).toBeDefined();

    const lines: string[] = [];
    const database = await start({ log: { ...silentLog, info: (line) => void lines.push(line) } });
    expect(processIdentity(orphan)).toBeUndefined();
    expect(lines.join()).toContain(`process ${orphan}`);
    expect(await query(database.url, "select * from kept")).toEqual([]);
  },
  30_000,
);

test("a gateway that leaves without drain takes its server along", async () => {
  useTemplate();
  const server = await startElsewhere("select 1", "SIGTERM");
  await expect.poll(() => processIdentity(server), { timeout: 5_000 }).toBeUndefined();
}, 30_000);

test("a second gateway on the same folder is refused in a plain sentence", async () => {
  useTemplate();
  const first = await start();
  await expect(start()).rejects.toThrow(
    `Cannot start on data folder ${dataDir()}: another gateway (process ${process.pid}) is using it`,
  );
  expect(await query(first.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await first.stop();
  await start();
});

test("a lock whose pid belongs to another process by now is taken over", async () => {
  useTemplate();
  const database = await start();
  await database.stop();
  const lock = join(dataDir(), "owner.lock");
  for (const stale of [{ pid: process.ppid, identity: "another boot/1" }, { pid: 1 }, "broken"]) {
    writeFileSync(lock, JSON.stringify(stale));
    await (await start()).stop();
    expect(existsSync(lock)).toBe(false);
  }
});

test("a pid file whose pid belongs to a stranger harms nobody", async () => {
  useTemplate();
  const database = await start();
  await database.stop();
  const stranger = spawn("sleep", ["30"]);
  writeFileSync(
    join(database.location, "data/postmaster.pid"),
    [stranger.pid, join(database.location, "data"), 0, 5432, "/nowhere", "", "", "ready"].join(
      "\n",
    ),
  );
  await start();
  expect(commandLine(stranger.pid!)).toContain("sleep");
  stranger.kill();
});

test("a server that crashes is started again", async () => {
  useTemplate();
  const database = await start();
  const before = database.pid;
  process.kill(before, "SIGKILL");
  await expect.poll(() => database.pid, { timeout: 10_000 }).not.toBe(before);
  expect(await query(database.url, "select 1 as one")).toEqual([{ one: 1 }]);
}, 20_000);

test("a creation that was interrupted begins again", async () => {
  mkdirSync(join(dataDir(), "postgres/data.partial"), { recursive: true });
  writeFileSync(join(dataDir(), "postgres/data.partial/half"), "");
  expect(await query((await start()).url, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("data of another PostgreSQL version is refused in a plain sentence", async () => {
  useTemplate();
  await (await start()).stop();
  writeFileSync(join(dataDir(), "postgres/data/PG_VERSION"), "17\n");
  await expect(start()).rejects.toThrow(/was made by PostgreSQL 17, this gateway brings 18/);
  expect(existsSync(join(dataDir(), "owner.lock"))).toBe(false);
});

test("systems without binaries are asked for DATABASE_URL", () => {
  for (const [platform, architecture] of [["win32", "x64"], ["linux", "s390x"], ["aix", "ppc64"]]) {
    expect(() => findBinaries(platform, architecture)).toThrow(/Set DATABASE_URL/);
  }
});

test("an aborted start leaves no server and no lock", async () => {
  for (const ms of [60, 120]) {
    await expect(start({ signal: AbortSignal.timeout(ms) })).rejects.toThrow();
    expect(existsSync(join(dataDir(), "owner.lock"))).toBe(false);
  }
  await start();
});

function dataDir(): string {
  return join(folder, "data");
}

function useTemplate(): void {
  cpSync(join(template, "postgres/data"), join(dataDir(), "postgres/data"), { recursive: true });
}

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedDatabase> {
  const outside = join(root, "outside");
  const database = await startEmbedded({
    dataDir: dataDir(),
    log: silentLog,
    outside,
    settings: disposable,
    ...options,
  });
  running.push(database);
  return database;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const database = openDatabase({ url, schema: "vmx", poolMax: 1 }, silentLog);
  try {
    return await database.em().execute(sql);
  } finally {
    await database.close();
  }
}

function copyPackage(): string {
  const copy = join(folder, "package");
  cpSync(findBinaries(), copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function removeLinks(packageFolder: string): void {
  const library = join(packageFolder, "native/lib");
  for (const name of readdirSync(library)) {
    if (lstatSync(join(library, name)).isSymbolicLink()) rmSync(join(library, name));
  }
}

// Starts the database in a process of its own, which runs one statement and is then ended by the signal.
async function startElsewhere(sql: string, signal: NodeJS.Signals): Promise<number> {
  const program = join(folder, "gateway.ts");
  const from = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  writeFileSync(
    program,
    `import { startEmbedded } from ${from("embedded.ts")};
     import { openDatabase } from ${from("database.ts")};
     const log = { debug() {}, info() {}, warn() {}, error() {} };
     process.on("SIGTERM", () => process.exit(1));
     const server = await startEmbedded({ dataDir: ${JSON.stringify(dataDir())}, log });
     const database = openDatabase({ url: server.url, schema: "vmx", poolMax: 1 }, log);
     await database.em().execute(${JSON.stringify(sql)});
     console.log("pid " + server.pid);
     setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => output += chunk);
  while (!/pid \d+\n/.test(output)) await delay(10);
  child.kill(signal);
  await ended;
  return Number(/pid (\d+)/.exec(output)![1]);
}
