import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../contract/plugin.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { findBinaries, readyBinaries } from "./embedded/binaries.ts";
import { acquireOwnerLock } from "./embedded/owner-lock.ts";
import { findPlace, findSocketFolder } from "./embedded/place.ts";
import {
  createData,
  type Server,
  type ServerOptions,
  startServer,
  stopOrphan,
} from "./embedded/server.ts";
import { findServiceUser } from "./embedded/service-user.ts";

export { StartError } from "../start-error.ts";

/** What the embedded database needs to know. */
export interface EmbeddedOptions {
  /** Data folder of the gateway. It becomes mode 0700. */
  readonly dataDir: string;
  readonly log: Log;
  /** Gives up the start. */
  readonly signal?: AbortSignal | undefined;
  /** Folder of the platform package; found by itself when absent. */
  readonly binaries?: string | undefined;
  /** Where binaries and data go that root's service account could not reach. */
  readonly outside?: string | undefined;
  /** Server settings beside the built-in ones, such as `fsync: "off"` for a database nobody will miss. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** The running embedded database. */
export interface EmbeddedDatabase {
  /** URL for `openDatabase`. */
  readonly url: string;
  /** Folder of the database; outside the data folder when `isOutside`. */
  readonly location: string;
  readonly isOutside: boolean;
  /** Process id of the server, as of now: a server that crashes is started again. */
  readonly pid: number;
  /** Stops the server and gives the data folder back. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL server on a folder in the data folder, reachable over a unix socket only. The
 * server never runs as root, and the first start creates its data.
 *
 * @throws StartError with a plain sentence: unsupported platform, a second gateway, a folder that cannot be used
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { log } = options;
  const dataDir = resolve(options.dataDir);
  const outside = options.outside ?? "/var/lib/vmx";
  const lap = stopwatch(log);
  const packageFolder = options.binaries ?? findBinaries();
  prepareDataFolder(dataDir);
  const releaseLock = acquireOwnerLock(dataDir);
  try {
    const user = findServiceUser();
    const place = findPlace(dataDir, user, outside);
    const isOutside = !place.base.startsWith(dataDir);
    const { bin, copiedTo } = readyBinaries(packageFolder, user, user ? outside : dataDir);
    lap("prepared");
    if (isOutside || copiedTo !== undefined) {
      const parts = [
        ...(isOutside ? [`its data lies in ${place.base}`] : []),
        ...(copiedTo ? [`its programs in ${copiedTo}`] : []),
      ];
      const reason = user
        ? `user ${user.name} cannot reach the original folder`
        : "they cannot run in place";
      log.info(`Embedded database: ${parts.join(", ")}, because ${reason}`);
    }
    await stopOrphan(place.data, log);
    const socket = findSocketFolder(place.base, user);
    const { signal, settings } = options;
    const server: ServerOptions = {
      bin,
      data: place.data,
      socketFolder: socket.folder,
      user,
      log,
      signal,
      settings,
    };
    if (await createData(server)) lap("created");
    const kept = await keepRunning(server);
    lap("started");
    return {
      url: `postgresql://vmx@localhost/postgres?host=${encodeURIComponent(socket.folder)}`,
      location: place.base,
      isOutside,
      get pid() {
        return kept.pid();
      },
      async stop() {
        await kept.stop();
        if (socket.isTemporary) rmSync(socket.folder, { recursive: true, force: true });
        releaseLock();
      },
    };
  } catch (error) {
    releaseLock();
    throw error;
  }
}

async function keepRunning(
  options: ServerOptions,
): Promise<{ pid(): number; stop(): Promise<void> }> {
  let server: Server = await startServer(options);
  let isStopping = false;
  // A gateway that leaves without drain takes its server along. After SIGKILL the next start finds it.
  const onExit = () => {
    try {
      process.kill(server.pid, "SIGINT");
    } catch {
      // It is gone already.
    }
  };
  process.once("exit", onExit);
  const watch = async () => {
    for (let pauseMs = 200;; pauseMs = Math.min(pauseMs * 2, 10_000)) {
      await server.exited;
      if (isStopping) return;
      options.log.error("Embedded database ended unexpectedly, starting it again");
      await delay(pauseMs, undefined, { ref: false });
      if (isStopping) return;
      try {
        server = await startServer({ ...options, signal: undefined });
      } catch (error) {
        options.log.error("Cannot start the embedded database again", { error });
      }
    }
  };
  void watch();
  return {
    pid: () => server.pid,
    async stop() {
      isStopping = true;
      process.off("exit", onExit);
      await server.stop();
      await server.exited;
    },
  };
}

function stopwatch(log: Log): (stage: string) => void {
  let last = performance.now();
  return (stage) => {
    const now = performance.now();
    log.debug(`embedded database ${stage}`, { ms: Math.round(now - last) });
    last = now;
  };
}
