import cluster, { type Worker } from "node:cluster";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../contract/index.ts";
import type { Environment } from "../setting-reader.ts";
import { StartError } from "../start-error.ts";

/** What a worker says once: that it is ready, or why it cannot be. */
export type FirstWord<Ready> = { readonly ready: Ready } | { readonly failed: string };

/** Processes that run the same program and share its port. */
export interface Workers<Ready> {
  /**
   * Starts one more and keeps one in its place from then on. Resolves with what it says when it is ready; rejects with
   * a StartError when it ends before.
   *
   * @param own variables of this one alone, and of those in its place
   */
  start(own?: Environment): Promise<Ready>;
  /** Tells all to stop; resolves when they have ended, and rejects when one ended with an error or had to be killed. */
  stop(): Promise<void>;
}

/** What workers are made with. */
export interface WorkersOptions {
  /** Their variables beside those of this process. */
  readonly variables: Environment;
  /** What a worker is sent when it shall stop. */
  readonly stopMessage: string;
  /** Milliseconds a worker may take for stopping before it is killed. */
  readonly patienceMs: number;
  readonly log: Log;
}

/** Milliseconds before a worker that ended is replaced; twice as long each time until one lasts. */
const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A worker that lasted this long has not failed because it was started. */
const steadyMs = 60_000;

/** Creates an empty set of workers. */
export function createWorkers<Ready>(options: WorkersOptions): Workers<Ready> {
  const { log } = options;
  const stopping = new AbortController();
  const running = new Set<RunningWorker<Ready>>();

  function fork(own: Environment): RunningWorker<Ready> {
    const variables = Object.entries({ ...options.variables, ...own })
      .filter(([, value]) => value !== undefined);
    const worker = cluster.fork(Object.fromEntries(variables));
    const pid = worker.process.pid;
    // What cannot be sent to a worker that ends needs no report: its end is reported.
    worker.on("error", (error) => log.debug("Cannot talk to a process", { pid, error }));
    let failed: string | undefined;
    const ready = new Promise<Ready>((resolve) => {
      worker.once("message", (word: FirstWord<Ready>) => {
        if ("ready" in word) resolve(word.ready);
        else failed = word.failed;
      });
    });
    const ended = new Promise<End>((resolve) => {
      worker.once("exit", (code, signal) => resolve({ code, signal, failed }));
    });
    const one = { worker, ready, ended, startedAt: performance.now() };
    running.add(one);
    void ended.then(() => running.delete(one));
    return one;
  }

  async function keepOne(first: RunningWorker<Ready>, own: Environment): Promise<void> {
    let current = first;
    for (let pauseMs = firstPauseMs;; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const { code, signal, failed } = await current.ended;
      if (stopping.signal.aborted) return;
      if (performance.now() - current.startedAt > steadyMs) pauseMs = firstPauseMs;
      const pid = current.worker.process.pid;
      log.error("A process ended unexpectedly, another one takes its place", {
        pid,
        ...(signal ? { signal } : { code }),
        ...(failed === undefined ? {} : { reason: failed }),
        pauseMs,
      });
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      current = fork(own);
    }
  }

  async function stopOne({ worker, ended }: RunningWorker<Ready>): Promise<boolean> {
    if (worker.isConnected()) worker.send(options.stopMessage);
    const late = new AbortController();
    const kill = delay(options.patienceMs, undefined, { signal: late.signal })
      .then(() => worker.process.kill("SIGKILL"), () => {});
    const { code } = await ended;
    late.abort();
    await kill;
    return code === 0;
  }

  return {
    async start(own = {}) {
      const one = fork(own);
      const ready = await Promise.race([
        one.ready,
        one.ended.then(({ code, signal, failed }) => {
          throw new StartError(
            failed ??
              `Cannot start: process ${one.worker.process.pid} ended with ${signal ?? code}`,
          );
        }),
      ]);
      void keepOne(one, own);
      return ready;
    },
    async stop() {
      stopping.abort();
      const good = await Promise.all([...running].map(stopOne));
      if (good.includes(false)) {
        throw new Error("Cannot stop every process: see what they reported");
      }
    },
  };
}

interface RunningWorker<Ready> {
  readonly worker: Worker;
  readonly ready: Promise<Ready>;
  readonly ended: Promise<End>;
  /** By the monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not start, when it has said so. */
  readonly failed: string | undefined;
}
