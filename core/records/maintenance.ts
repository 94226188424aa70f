import { randomUUID } from "node:crypto";
import type { Clock, Log, SharedState } from "../contract/index.ts";
import type { ClassDay, Partitions } from "./partitions.ts";

const everyMs = 3_600_000;
const firstAfterMs = 10_000;
const leaseMs = 600_000;
const dayMs = 86_400_000;

/** What is maintained, and with what. */
export interface MaintenanceParts {
  readonly partitions: Partitions;
  /** The classes environments are set to; partitions of others are made when a row needs them. */
  readonly classesInUse: () => Iterable<Omit<ClassDay, "at">>;
  /** Deletes what has expired elsewhere. */
  readonly prune: (now: number) => Promise<unknown>;
  readonly sharedState: () => Promise<SharedState>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Once an hour makes the partitions of today and the next two days, so that no insert has to, drops those whose time
 * is over, and prunes. One of all processes does it. Answers how to end it.
 */
export function startMaintenance(parts: MaintenanceParts): () => Promise<void> {
  const { partitions, clock, log } = parts;
  const owner = randomUUID();
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    running = maintain().catch((error: unknown) =>
      log.warn("Cannot maintain the tables of records; it is tried again", { error })
    );
  };
  const first = setTimeout(run, firstAfterMs);
  const timer = setInterval(run, everyMs);
  first.unref();
  timer.unref();

  async function maintain(): Promise<void> {
    if (!await (await parts.sharedState()).lease("audit-partitions", owner, leaseMs)) return;
    const now = clock.now();
    const coming = [...parts.classesInUse()].flatMap((inUse) =>
      [0, 1, 2].map((days) => ({ ...inUse, at: now + days * dayMs }))
    );
    await attempt("make partitions", partitions.ensure(coming));
    await attempt("drop partitions", partitions.dropExpired(now));
    await attempt("delete expired rows", parts.prune(now));
  }

  async function attempt(what: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => log.warn(`Cannot ${what}; it is tried again`, { error }));
  }

  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    await running;
  };
}
