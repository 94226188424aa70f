import cluster from "node:cluster";
import process from "node:process";
import type { Config } from "../config.ts";
import { createKernel, type Kernel } from "../kernel.ts";
import { createLog, type RootLog } from "../log.ts";
import type { Environment } from "../setting-reader.ts";
import { StartError } from "../start-error.ts";
import { startStopwatch } from "../stopwatch.ts";
import type { Started } from "./describe-start.ts";
import { exitAfter, outliveFaults } from "./stop-on-signals.ts";
import { createWorkers, type FirstWord } from "./workers.ts";

/** A gateway of several processes, as the one sees it that started the others and serves nothing itself. */
export interface Processes extends Started {
  readonly log: RootLog;
  /** Tells all to drain; resolves when they have ended. Rejects when one did not end well. */
  stop(): Promise<void>;
}

/** What a worker tells when it listens. */
export type Ready = Pick<Kernel, "url" | "firstRun">;

/** What a worker is told when it shall drain and end. */
const stopMessage = "stop";

/** Whether this process was started by `startProcesses`. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/**
 * Starts `VMX_PROCESSES` workers that share the port, and another one whenever one ends. The embedded database belongs
 * to this process; workers connect to it.
 *
 * Throws a StartError with a plain sentence when a worker cannot start.
 */
export async function startProcesses(
  config: Config,
  environment: Environment,
): Promise<Processes> {
  const log = createLog(config.log);
  const watch = startStopwatch(log);
  const server = config.database.url ? undefined : await startDatabase(config, log);
  const workers = createWorkers<Ready>({
    variables: { ...environment, ...(server && { DATABASE_URL: server.url }) },
    stopMessage,
    patienceMs: config.drainMs + stopMarginMs,
    log: log.named("processes"),
  });
  try {
    // The first one migrates, makes what the first run makes, and finds what is wrong: once, not in each.
    const [first, ...others] = variablesOfWorkers(config);
    const ready = await workers.start(first);
    await Promise.all(others.map((own) => workers.start(own)));
    return {
      ...ready,
      config,
      log,
      databaseOutside: server?.isOutside ? server.location : undefined,
      startedInMs: watch.total(),
      async stop() {
        log.info("Stopping: every process finishes its running requests first");
        try {
          await workers.stop();
        } finally {
          await server?.stop();
        }
      },
    };
  } catch (error) {
    await workers.stop().catch(() => {});
    await server?.stop();
    throw error;
  }
}

/** Whoever fetches metrics has to reach each process by itself: each has a port of its own, counted up from the first. */
function variablesOfWorkers({ processes, metrics, port }: Config): Environment[] {
  const ports = Array.from({ length: processes + 1 }, (_, index) => metrics.port + index)
    .filter((each) => each !== port);
  const isOwn = metrics.enabled && metrics.port !== 0 && metrics.port !== port;
  return Array.from(
    { length: processes },
    (_, index) => isOwn ? { VMX_METRICS_PORT: String(ports[index]) } : {},
  );
}

/** Serves as one of several processes until the first one says stop. */
export async function work(config: Config, environment: Environment): Promise<void> {
  const kernel = await createKernel(config, environment).catch(giveUp);
  outliveFaults(kernel.log);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    exitAfter(() => kernel.stop(), kernel.log);
  };
  process.on("message", (message) => {
    if (message === stopMessage) stop();
  });
  // A terminal and a service manager signal every process of a group: a repeated one must not cut streams off here.
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const { url, firstRun } = kernel;
  process.send?.({ ready: { url, firstRun } } satisfies FirstWord<Ready>);
}

/** Leaves the sentence to the process that prints it once. */
async function giveUp(error: unknown): Promise<never> {
  if (!(error instanceof StartError)) throw error;
  const word: FirstWord<Ready> = { failed: error.message };
  await new Promise((resolve) => process.send?.(word, undefined, undefined, resolve));
  process.exit(1);
}

/** Milliseconds beyond the drain a worker gets for its farewell, its records and its connections. */
const stopMarginMs = 20_000;

/** Connections of the embedded database beside those of the workers' pools: its own and an operator's. */
const spareConnections = 20;

async function startDatabase(config: Config, log: RootLog) {
  const { startEmbedded } = await import("../store/embedded.ts");
  const connections = config.processes * config.database.poolMax + spareConnections;
  return await startEmbedded({
    dataDir: config.dataDir,
    log: log.named("database"),
    settings: { max_connections: String(Math.max(60, connections)) },
  });
}
