import type { Clock, Log } from "../../contract/index.ts";
import type { PluginHost } from "../../host/plugin-host.ts";
import type { AuditRecord } from "../record.ts";
import { measurementOf, pointsOf } from "./points.ts";
import { createSinkQueue, type SinkQueue, type SinkState } from "./sink-queue.ts";

/** Sinks of usage beside the database, which is fed from the spool. */
export interface UsageSinks {
  /** Hands the points of a finished request to every sink; never waits and never throws. */
  note(record: AuditRecord): void;
  /** How each sink is doing, by its id. */
  state(): Readonly<Record<string, SinkState>>;
  close(patienceMs?: number): Promise<void>;
}

/** Id of the sink that lives in core. */
export const databaseSink = "database";

/**
 * Opens a queue for each sink of the list. Ids nobody contributes are told in the log.
 */
export function createUsageSinks(
  ids: readonly string[],
  host: Pick<PluginHost, "find" | "get">,
  clock: Clock,
  log: Log,
): UsageSinks {
  const queues: SinkQueue[] = [];
  for (const id of new Set(ids)) {
    if (id === databaseSink) continue;
    if (host.find("metricSinks", id)) {
      queues.push(createSinkQueue(id, () => host.get("metricSinks", id), clock, log));
    } else log.error(`Cannot write to the usage sink "${id}": no plugin contributes it`);
  }
  return {
    note(record) {
      if (queues.length === 0) return;
      const measurements = pointsOf(record).map(measurementOf);
      for (const queue of queues) queue.add(measurements);
    },
    state: () => Object.fromEntries(queues.map((queue) => [queue.sink, queue.state()])),
    async close(patienceMs = 2_000) {
      await Promise.all(queues.map((queue) => queue.close(patienceMs)));
    },
  };
}
