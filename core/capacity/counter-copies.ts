import {
  type Clock,
  type Counter,
  GatewayError,
  type Log,
  type SharedState,
} from "../contract/index.ts";
import { databaseError } from "../store/database-error.ts";
import type { Database } from "../store/database.ts";
import { CapacityCopy } from "../store/entities/index.ts";
import type { GuardedStore } from "./guarded-store.ts";

/** Keeps copies of long-lived counters in the database, so that a store that starts empty forgets little. */
export interface CounterCopies {
  /** Gives copies back to a store that began empty. Never rejects: what could not be read is tried again later. */
  restore(): Promise<void>;
  /** Writes down the counters of one environment, or of all. Never rejects. */
  copy(environmentId?: string): Promise<void>;
  start(): void;
  /** Copies a last time. */
  stop(): Promise<void>;
}

/** What copying needs. */
export interface CounterCopiesParts {
  readonly database: Database;
  readonly store: Pick<GuardedStore, "ask">;
  readonly sharedState: () => Promise<SharedState>;
  readonly processId: string;
  readonly environments: () => Iterable<string>;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

const copyMs = 30_000;
const lease = "capacity-copies";

/** Creates the copying of counters; it begins with `start`. */
export function createCounterCopies(parts: CounterCopiesParts): CounterCopies {
  const { database, store, log, processId } = parts;
  const written = new Map<string, string>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let round: Promise<void> = Promise.resolve();

  /** Answers whether the store could be asked. */
  async function give(
    environmentId: string,
    row: Pick<CapacityCopy, "counters" | "copiedAt"> | null | undefined,
  ): Promise<boolean> {
    const counters = (row?.counters ?? []) as Counter[];
    const restored = await store.ask((capacity) => capacity.restore(environmentId, counters));
    if (!restored || counters.length === 0) return restored !== undefined;
    log.info("Capacity counters restored", {
      environmentId,
      counters: counters.length,
      copiedAt: row!.copiedAt,
    });
    return true;
  }

  /** Answers whether the store could be asked. */
  async function copyOne(environmentId: string): Promise<boolean> {
    const dump = await store.ask(async (capacity) => ({
      counters: await capacity.dump(environmentId),
    }));
    if (!dump) return false;
    if (!dump.counters) {
      return await give(
        environmentId,
        await database.em().findOne(CapacityCopy, { environmentId }),
      );
    }
    const text = JSON.stringify(dump.counters);
    if ((written.get(environmentId) ?? "[]") === text) return true;
    await database.em().upsert(CapacityCopy, {
      environmentId,
      counters: [...dump.counters],
      copiedAt: new Date(parts.clock.now()),
    });
    written.set(environmentId, text);
    return true;
  }

  /** One round after the other: two writers of one row would race. */
  function next(run: () => Promise<void>): Promise<void> {
    return round = round.then(run).catch((error: unknown) =>
      log.warn("Cannot copy capacity counters", { error })
    );
  }

  async function copyAll(): Promise<void> {
    for (const environmentId of parts.environments()) {
      try {
        if (!await copyOne(environmentId)) return;
      } catch (error) {
        const known = databaseError(error);
        if (known instanceof GatewayError && known.code === "DATABASE_UNAVAILABLE") throw known;
        // An environment deleted a moment ago must not keep the others from being copied.
        log.warn("Cannot copy capacity counters", { environmentId, error: known });
      }
    }
  }

  async function isMine(): Promise<boolean> {
    try {
      return await (await parts.sharedState()).lease(lease, processId, copyMs * 1.5);
    } catch {
      return false;
    }
  }

  return {
    restore: () =>
      next(async () => {
        const rows = await database.em().find(CapacityCopy, {});
        const copies = new Map(rows.map((row) => [row.environmentId, row]));
        for (const environmentId of parts.environments()) {
          if (!await give(environmentId, copies.get(environmentId))) return;
        }
      }),
    copy: (environmentId) =>
      next(async () => {
        if (environmentId === undefined) await copyAll();
        else await copyOne(environmentId);
      }),
    start() {
      timer ??= setInterval(() => {
        void isMine().then((mine) => mine ? next(copyAll) : undefined);
      }, copyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      if (await isMine()) await next(copyAll);
      else await round;
    },
  };
}
