import type { Discovered, StoredDiscovered } from "../capacity/index.ts";
import { discoveredForMs } from "../capacity/discovered.ts";
import type { Log } from "../contract/index.ts";
import type { Database } from "../store/database.ts";
import { AiConnection } from "../store/entities/index.ts";

/** Writes down the limits providers tell of, off the request path. */
export interface DiscoveredRecorder {
  /** Reads what was written down before. Never rejects. */
  load(): Promise<void>;
  /** Writes what has changed. Never rejects: what is lost is seen again with the next answer. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Models kept per connection; those seen longest ago give way. */
const maxModels = 200;

/**
 * Creates the recorder of discovered limits.
 *
 * @param flushMs pause between two writes, in milliseconds
 */
export function createDiscoveredRecorder({ database, discovered, log }: {
  readonly database: Database;
  readonly discovered: Pick<Discovered, "load" | "takeChanged">;
  readonly log: Log;
}, flushMs = 10_000): DiscoveredRecorder {
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();

  async function flush(): Promise<void> {
    const changed = discovered.takeChanged();
    if (changed.size === 0) return;
    try {
      const em = database.em();
      for (const [connectionId, fresh] of changed) {
        const row = await em.findOne(AiConnection, { connectionId }, {
          fields: ["discoveredCapacity"],
        });
        if (!row) continue;
        const discoveredCapacity = merge(stored(row.discoveredCapacity), fresh);
        // Observed, not configured: neither version nor revision moves.
        await em.nativeUpdate(AiConnection, { connectionId }, {
          discoveredCapacity: { ...discoveredCapacity },
        });
      }
    } catch (error) {
      log.debug("Cannot write down discovered limits", { error });
    }
  }

  return {
    async load() {
      try {
        const rows = await database.em().find(AiConnection, {
          discoveredCapacity: { $ne: null },
        }, { fields: ["connectionId", "discoveredCapacity"] });
        for (const row of rows) discovered.load(row.connectionId, stored(row.discoveredCapacity));
      } catch (error) {
        log.debug("Cannot read discovered limits", { error });
      }
    },
    flush,
    stop() {
      clearInterval(timer);
      return flush();
    },
  };
}

function stored(value: Record<string, unknown> | null): StoredDiscovered {
  const models = value?.["models"];
  return { models: typeof models === "object" && models !== null ? { ...models } : {} };
}

function merge(known: StoredDiscovered, fresh: StoredDiscovered): StoredDiscovered {
  const models = Object.entries({ ...known.models, ...fresh.models })
    .filter(([, { updatedAt }]) => Date.now() - Date.parse(updatedAt) <= discoveredForMs)
    .sort(([, a], [, b]) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt))
    .slice(0, maxModels);
  return { models: Object.fromEntries(models) };
}
