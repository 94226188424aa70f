import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Log } from "../contract/plugin.ts";
import { type Database, openDatabase } from "./database.ts";
import { startEmbedded } from "./embedded.ts";

/** A real database for the tests of one file. */
export interface TestDatabase {
  readonly url: string;
  readonly dataDir: string;
  /** Process id of the database server, for tests that pause or kill it. */
  serverPid(): number;
  /** Ends the server at once, as when its machine dies; it does not come back. */
  die(): Promise<void>;
  /** Opens a further handle, as another process would have it. Each schema is an installation of its own. */
  open(schema?: string): Promise<Database>;
  stop(): Promise<void>;
}

/** Server settings for a database that is thrown away: it waits for no disk. */
export const disposable = { fsync: "off", full_page_writes: "off", synchronous_commit: "off" };

/** A log that keeps silent. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Stops a server with all it runs, so that living connections get no answer either. Answers how to wake it. */
export function pauseServer(pid: number): () => void {
  process.kill(pid, "SIGSTOP");
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")
    .filter(Boolean).map(Number);
  for (const child of children) process.kill(child, "SIGSTOP");
  return () => {
    for (const child of [...children, pid]) process.kill(child, "SIGCONT");
  };
}

/**
 * Starts an embedded PostgreSQL in a temporary folder. Call it in `beforeAll` and `stop` in `afterAll`; tests
 * that must not see each other open schemas of their own.
 */
export async function startTestDatabase(): Promise<TestDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), "vmx-test-"));
  const embedded = await startEmbedded({
    dataDir,
    log: silentLog,
    outside: `${dataDir}-outside`,
    settings: disposable,
  });
  const handles: Database[] = [];
  let stopped: Promise<void> | undefined;
  const stopServer = () => stopped ??= embedded.stop();
  return {
    url: embedded.url,
    dataDir,
    serverPid: () => embedded.pid,
    async die() {
      // An immediate shutdown: connections break off. By itself it would be started again.
      process.kill(embedded.pid, "SIGQUIT");
      await stopServer();
    },
    async open(schema = "vmx") {
      const database = openDatabase({ url: embedded.url, schema, poolMax: 5 }, silentLog);
      handles.push(database);
      await database.migrate();
      return database;
    },
    async stop() {
      await Promise.all(handles.map((database) => database.close()));
      await stopServer();
      for (const folder of [dataDir, `${dataDir}-outside`]) {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
