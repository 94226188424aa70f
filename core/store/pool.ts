import type { Pulse } from "./pulse.ts";

/** What is used of the driver's client; it is never imported, so its types are not either. */
interface PoolClient {
  on(event: "error", listener: (error: Error) => void): unknown;
  query(...parts: unknown[]): unknown;
  release(error?: unknown): void;
  end(): Promise<void>;
}

/** What is used of the driver's pool. */
interface Pool {
  on(event: "connect" | "remove", listener: (client: PoolClient) => void): unknown;
}

/** Watches over the connections of one database handle, replicas included. */
export interface PoolWatch {
  /** Watches over the connections of a pool. Their statements are ended when the pulse is lost. */
  onPoolCreated(pool: Pool, pulse?: Pulse): void;
  /** Ends every connection, also one that somebody still uses: what runs on it fails. */
  endAll(): Promise<void>;
}

// The statements after which the query builder keeps a connection when they fail.
const bracket = /^(begin|start transaction\b.*|rollback)$/;

/**
 * Creates the watch. The query builder below the ORM gives the connection of a transaction back only after a
 * COMMIT or ROLLBACK that worked. When BEGIN or ROLLBACK fails nobody ever would: the pool runs dry and never
 * closes. Such a connection is in an unknown state, so it is given back as broken and the pool drops it.
 */
export function createPoolWatch(): PoolWatch {
  const clients = new Set<PoolClient>();
  return {
    onPoolCreated(pool, pulse) {
      pool.on("connect", (client) => {
        clients.add(client);
        survives(client);
        if (pulse) endWhenSilent(client, pulse);
        giveBackOnFailure(client);
      });
      pool.on("remove", (client) => void clients.delete(client));
    },
    async endAll() {
      await Promise.all([...clients].map((client) => client.end()));
    },
  };
}

/**
 * Lets the end of a connection pass that somebody holds while no statement runs on it: the driver would throw it at
 * the process. Its next statement fails and says so.
 */
export function survives(client: Pick<PoolClient, "on">): void {
  client.on("error", () => {});
}

/** Ends a connection when its database falls silent during a statement, which then fails. */
export function endWhenSilent(
  client: Pick<PoolClient, "query" | "end">,
  pulse: Pulse,
): void {
  const query = client.query.bind(client);
  const drop = () => void client.end().catch(() => {});
  client.query = (...parts) => {
    const done = parts.at(-1);
    if (typeof done === "function") {
      const { promise, resolve } = Promise.withResolvers<void>();
      pulse.watch(promise, drop);
      return query(...parts.slice(0, -1), (...results: unknown[]) => {
        resolve();
        done(...results);
      });
    }
    const answer = query(...parts);
    if (answer instanceof Promise) pulse.watch(answer, drop);
    return answer;
  };
}

function giveBackOnFailure(client: PoolClient): void {
  const query = client.query.bind(client);
  client.query = (...parts) => {
    const answer = query(...parts);
    const isBracket = typeof parts[0] === "string" && bracket.test(parts[0]);
    if (!isBracket || !(answer instanceof Promise)) return answer;
    return answer.catch((error: unknown) => {
      client.release(error);
      // Should the query builder learn to give it back by itself, a second time would throw.
      client.release = () => {};
      throw error;
    });
  };
}
