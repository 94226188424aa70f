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
  /** For the driver's option of that name. */
  onPoolCreated(pool: Pool): void;
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
    onPoolCreated(pool) {
      pool.on("connect", (client) => {
        clients.add(client);
        survives(client);
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
