import { randomBytes } from "node:crypto";
import { GatewayError } from "../contract/errors.ts";
import type { Clock } from "../contract/plugin.ts";
import type { Database } from "../store/database.ts";
import { databaseError } from "../store/database-error.ts";
import { Session } from "../store/entities/index.ts";
import { hashSecret } from "./token-format.ts";

/** Lifetimes of console sessions. */
export interface SessionLimits {
  /** Milliseconds without a call after which a session ends. */
  readonly idleMs: number;
  /** Milliseconds after which a session ends in any case. */
  readonly maxMs: number;
}

/** A session as read from the database. */
export interface StoredSession {
  readonly sessionHash: string;
  readonly userId: string;
  readonly csrfToken: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** Console sessions: stored by hash, read through a short cache. */
export interface Sessions {
  /** Starts a session; `id` is the cookie's value. A `csrfToken` is carried over from the session it replaces. */
  start(
    userId: string,
    client: {
      readonly ip?: string | undefined;
      readonly userAgent?: string | undefined;
      readonly csrfToken?: string | undefined;
    },
  ): Promise<{ readonly id: string; readonly session: StoredSession }>;
  /**
   * Finds the session of a cookie and notes that it is in use. While the database is away, sessions known to
   * this process go on. Throws `SESSION_EXPIRED`.
   */
  find(id: string): Promise<StoredSession>;
  end(sessionHash: string): Promise<void>;
  /** Ends every session of a user, or every one but `keep`. */
  endAll(userId: string, keep?: string): Promise<void>;
}

const cacheMs = 10_000;
const touchMs = 60_000;
const mostCached = 10_000;

/** Creates the sessions of one process. */
export function createSessions(
  database: Database,
  limits: SessionLimits,
  clock: Clock,
): Sessions {
  const cache = new Map<string, { session: StoredSession; readAt: number }>();
  // Counts endings: what was read before one must not be remembered after it.
  let endings = 0;

  function remember(session: StoredSession): StoredSession {
    cache.delete(session.sessionHash);
    cache.set(session.sessionHash, { session, readAt: clock.now() });
    if (cache.size > mostCached) cache.delete(cache.keys().next().value!);
    return session;
  }

  function isAlive(session: StoredSession): boolean {
    const now = clock.now();
    return now < session.expiresAt.getTime() &&
      now < session.lastSeenAt.getTime() + limits.idleMs;
  }

  async function read(sessionHash: string): Promise<StoredSession | undefined> {
    const em = database.em();
    const row = await em.findOne(Session, { sessionHash });
    if (!row) return undefined;
    const now = clock.now();
    if (isAlive(row) && now - row.lastSeenAt.getTime() > touchMs) {
      row.lastSeenAt = new Date(now);
      await em.flush();
    }
    return row;
  }

  return {
    async start(userId, client) {
      const id = randomBytes(32).toString("base64url");
      const now = clock.now();
      const em = database.em();
      const row = em.create(Session, {
        sessionHash: hashSecret(id),
        userId,
        csrfToken: client.csrfToken ?? randomBytes(32).toString("base64url"),
        createdAt: new Date(now),
        lastSeenAt: new Date(now),
        expiresAt: new Date(now + limits.maxMs),
        ip: client.ip ?? null,
        userAgent: client.userAgent?.slice(0, 500) ?? null,
      });
      try {
        await em.persist(row).flush();
      } catch (error) {
        throw databaseError(error);
      }
      return { id, session: remember(row) };
    },

    async find(id) {
      const sessionHash = hashSecret(id);
      const known = cache.get(sessionHash);
      let session = known?.session;
      if (!known || clock.now() - known.readAt > cacheMs) {
        try {
          const seen = endings;
          session = await read(sessionHash);
          if (session && seen === endings) remember(session);
          else cache.delete(sessionHash);
        } catch (error) {
          if (!known) throw databaseError(error);
        }
      }
      if (session && isAlive(session)) return session;
      cache.delete(sessionHash);
      throw new GatewayError("SESSION_EXPIRED", "The session has ended: sign in again");
    },

    async end(sessionHash) {
      cache.delete(sessionHash);
      await guarded(() => database.em().nativeDelete(Session, { sessionHash }));
      endings++;
      cache.delete(sessionHash);
    },

    async endAll(userId, keep) {
      forget(userId, keep);
      await guarded(() =>
        database.em().nativeDelete(Session, {
          userId,
          ...(keep === undefined ? {} : { sessionHash: { $ne: keep } }),
        })
      );
      endings++;
      forget(userId, keep);
    },
  };

  function forget(userId: string, keep: string | undefined): void {
    for (const [sessionHash, { session }] of cache) {
      if (session.userId === userId && sessionHash !== keep) cache.delete(sessionHash);
    }
  }
}

async function guarded(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw databaseError(error);
  }
}
