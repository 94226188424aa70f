import type { Clock, Log } from "../contract/index.ts";
import type { Database } from "../store/database.ts";
import { ApiKey, PersonalAccessToken } from "../store/entities/index.ts";

/** Notes when credentials are used, off the request path. */
export interface UseRecorder {
  apiKey(apiKeyId: string): void;
  token(tokenId: string): void;
  /** Writes what has been noted. Never throws: a lost note is written with the next use. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const precisionMs = 60_000;

/**
 * Collects uses in memory and writes them together, each credential at most once a minute.
 *
 * @param flushMs pause between two writes, in milliseconds
 */
export function createUseRecorder(
  { database, clock, log }: {
    readonly database: Database;
    readonly clock: Clock;
    readonly log: Log;
  },
  flushMs = 10_000,
): UseRecorder {
  const written = new Map<string, number>();
  const keys = new Map<string, number>();
  const tokens = new Map<string, number>();
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();

  const note = (noted: Map<string, number>) => (id: string) => {
    const now = clock.now();
    if (now - (written.get(id) ?? 0) >= precisionMs) noted.set(id, now);
  };

  async function flush(): Promise<void> {
    if (keys.size === 0 && tokens.size === 0) return;
    const [usedKeys, usedTokens] = [[...keys], [...tokens]];
    keys.clear();
    tokens.clear();
    try {
      const em = database.em();
      for (const [apiKeyId, at] of usedKeys) {
        await em.nativeUpdate(ApiKey, { apiKeyId }, { lastUsedAt: new Date(at) });
      }
      for (const [tokenId, at] of usedTokens) {
        await em.nativeUpdate(PersonalAccessToken, { tokenId }, { lastUsedAt: new Date(at) });
      }
      for (const [id, at] of [...usedKeys, ...usedTokens]) written.set(id, at);
    } catch (error) {
      log.debug("Cannot note when credentials were used", { error });
    }
  }

  return {
    apiKey: note(keys),
    token: note(tokens),
    flush,
    stop() {
      clearInterval(timer);
      return flush();
    },
  };
}
