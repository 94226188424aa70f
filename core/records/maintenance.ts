import { randomUUID } from "node:crypto";
import type { Clock, Log, SharedState } from "../contract/index.ts";
import type { Partitions } from "./partitions.ts";
import type { ClassDay } from "./partitions.ts";

const everyMs = 3_600_000;
const firstAfterMs = 10_000;
const leaseMs = 600_000;
const dayMs = 86_400_000;

/**
 * Once an hour makes the partitions of today and the next two days, so that no insert has to, and drops those whose
 * time is over. One of all processes does it. Answers how to end it.
 *
 * @param classesInUse the classes environments are set to; partitions of others are made when a row needs them
 */
export function startMaintenance(
  partitions: Partitions,
  classesInUse: () => Iterable<Omit<ClassDay, "at">>,
  sharedState: () => Promise<SharedState>,
  clock: Clock,
  log: Log,
): () => Promise<void> {
  const owner = randomUUID();
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    running = maintain().catch((error: unknown) =>
      log.warn("Cannot maintain the partitions of records; it is tried again", { error })
    );
  };
  const first = setTimeout(run, firstAfterMs);
  const timer = setInterval(run, everyMs);
  first.unref();
  timer.unref();

  async function maintain(): Promise<void> {
    if (!await (await sharedState()).lease("audit-partitions", owner, leaseMs)) return;
    const now = clock.now();
    await partitions.ensure(
      [...classesInUse()].flatMap((inUse) =>
        [0, 1, 2].map((days) => ({ ...inUse, at: now + days * dayMs }))
      ),
    );
    await partitions.dropExpired(now);
  }

  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    await running;
  };
}
