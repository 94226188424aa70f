import pg from "pg";
import type { Log } from "../contract/plugin.ts";
import { databaseError } from "./database-error.ts";
import { endWhenSilent, survives } from "./pool.ts";
import type { Pulse } from "./pulse.ts";

/** Runs one statement and answers its rows. A name has the server keep the statement prepared. */
export type Query = <Row = Record<string, unknown>>(
  text: string,
  values?: readonly unknown[],
  name?: string,
) => Promise<Row[]>;

/**
 * Plain statements for rows that are no entities: records, measurements. They go past the ORM, which puts values
 * into the text of a statement, and use connections of their own, so that a shipment of records and the management
 * API never wait for each other. All of them throw `DATABASE_UNAVAILABLE` when the database is away.
 */
export interface Statements {
  /** The schema's name, quoted. */
  readonly schema: string;
  readonly write: Query;
  /** Asks the read replica where there is one. */
  readonly read: Query;
  /** Runs `work` in one transaction. */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  /** Ends the connections. A second call does nothing. */
  close(): Promise<void>;
}

const writers = 2;
const readers = 3;

/** Opens nothing yet: connections are made when they are needed. */
export function createStatements(
  { url, readUrl, schema, statementTimeoutMs, connectTimeoutMs, pulse, readPulse }: {
    readonly url: string;
    readonly readUrl?: string | undefined;
    readonly schema: string;
    readonly statementTimeoutMs: number;
    readonly connectTimeoutMs: number;
    readonly pulse: Pulse;
    readonly readPulse: Pulse;
  },
  log: Log,
): Statements {
  const createPool = (connectionString: string, max: number, heard: Pulse) => {
    const pool = new pg.Pool({
      connectionString,
      max,
      application_name: "vmx-gateway",
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
      query_timeout: statementTimeoutMs + 3_000,
      allowExitOnIdle: true,
    });
    pool.on("error", (error) => log.debug("A database connection ended", { error }));
    pool.on("connect", (client) => {
      survives(client);
      endWhenSilent(client as unknown as Parameters<typeof endWhenSilent>[0], heard);
    });
    return pool;
  };
  const writing = createPool(url, writers, pulse);
  const reading = createPool(readUrl ?? url, readers, readPulse);
  const queryOn = (target: pg.Pool | pg.PoolClient): Query => async (text, values, name) => {
    try {
      const config = { text, values: values as unknown[] | undefined, name };
      return (await target.query(config as pg.QueryConfig)).rows;
    } catch (error) {
      throw databaseError(error);
    }
  };
  return {
    schema: `"${schema}"`,
    write: queryOn(writing),
    read: queryOn(reading),
    async transaction(work) {
      let client: pg.PoolClient;
      try {
        client = await writing.connect();
      } catch (error) {
        throw databaseError(error);
      }
      const query = queryOn(client);
      let failure: unknown;
      try {
        await query("begin");
        const result = await work(query);
        await query("commit");
        return result;
      } catch (error) {
        failure = error;
        // A connection that cannot even roll back is in an unknown state; it is dropped below.
        await query("rollback").then(() => failure = undefined, () => {});
        throw error;
      } finally {
        client.release(failure as Error | undefined);
      }
    },
    async close() {
      await Promise.all([writing, reading].map((pool) => pool.ending || pool.end()));
    },
  };
}
