import type { Logger } from "@mikro-orm/core";
import { type EntityManager, MikroORM, type Options } from "@mikro-orm/postgresql";
import type { Log } from "../contract/plugin.ts";
import { stampChanges } from "./change.ts";
import { StartError } from "../start-error.ts";
import { databaseError } from "./database-error.ts";
import { entities } from "./entities/index.ts";
import { migrateDatabase } from "./migrate.ts";
import { createPoolWatch, type PoolWatch } from "./pool.ts";
import { createPulse, greets, type Pulse } from "./pulse.ts";
import { createStatements, type Statements } from "./statements.ts";

/** How to reach the database. */
export interface DatabaseConfig {
  /** PostgreSQL URL; a unix socket folder stands in the query as `?host=/folder`. */
  readonly url: string;
  /** URL of a read replica, used by queries that ask for `connectionType: "read"`. */
  readonly readUrl?: string | undefined;
  /** Schema that holds every table; lower-case letters, digits and `_`. */
  readonly schema: string;
  /** Connections this process may open. */
  readonly poolMax: number;
}

/** The open database of one process. */
export interface Database {
  readonly orm: MikroORM;
  readonly schema: string;
  /** Plain statements on connections of their own, for rows that are no entities. */
  readonly statements: Statements;
  /** A fresh unit of work. Use one per request and pass its failures through `databaseError`. */
  em(): EntityManager;
  /** Runs `fn` in one transaction; throws `DATABASE_UNAVAILABLE` when the database is away. */
  transaction<Result>(fn: (em: EntityManager) => Promise<Result>): Promise<Result>;
  /** Brings the schema up to date and answers the migrations it ran. */
  migrate(): Promise<string[]>;
  /** Answers the round trip in milliseconds; throws `DATABASE_UNAVAILABLE`. */
  ping(): Promise<number>;
  /** Statements sent since the database was opened, so that a test can show that a path sends none. */
  queryCount(): number;
  /**
   * Closes all connections. What still runs has `patienceMs` to end (5 s when absent), then it fails.
   */
  close(patienceMs?: number): Promise<void>;
}

/** Longest a statement may run, in milliseconds. When the database falls silent it ends sooner. */
export const statementTimeoutMs = 15_000;
/** Longest wait for a connection, in milliseconds. */
export const connectTimeoutMs = 4_000;

/** Opens the database without connecting yet. Throws a plain sentence when a setting is not usable. */
export function openDatabase(config: DatabaseConfig, log: Log): Database {
  let queries = 0;
  const pools = createPoolWatch();
  const { url, readUrl = url } = config;
  const pulse = createPulse((timeoutMs) => greets(url, timeoutMs));
  const readPulse = readUrl === url
    ? pulse
    : createPulse((timeoutMs) => greets(readUrl, timeoutMs));
  const orm = new MikroORM({
    ...ormOptions(config, log, () => queries++, { pools, pulse }),
    subscribers: [stampChanges],
    ...(readUrl === url ? {} : { replicas: [replica(readUrl, pools, readPulse)] }),
  });
  const em = () => orm.em.fork() as EntityManager;
  const timeouts = { statementTimeoutMs, connectTimeoutMs };
  const statements = createStatements({ ...config, ...timeouts, pulse, readPulse }, log);
  return {
    orm,
    schema: config.schema,
    statements,
    em,
    async transaction(fn) {
      try {
        return await em().transactional((inner) => fn(inner as EntityManager));
      } catch (error) {
        throw databaseError(error);
      }
    },
    migrate: () => migrateDatabase(config, em(), log),
    async ping() {
      const startedAt = performance.now();
      try {
        await em().execute("select 1");
      } catch (error) {
        throw databaseError(error);
      }
      return performance.now() - startedAt;
    },
    queryCount: () => queries,
    async close(patienceMs = 5_000) {
      const closed = Promise.all([orm.close(true), statements.close()]);
      if (await endsWithin(patienceMs, closed)) return;
      log.warn("Closing the database while statements still run", { patienceMs });
      await endsWithin(1_000, pools.endAll());
      await endsWithin(1_000, closed);
    },
  };
}

/** Options every connection of the store shares. `timeouts: false` is for migrations, which may take long. */
export function ormOptions(
  config: DatabaseConfig,
  log: Log,
  onQuery: () => void,
  { pools = createPoolWatch(), pulse, timeouts = true }: {
    pools?: PoolWatch;
    pulse?: Pulse;
    timeouts?: boolean;
  } = {},
): Options {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(config.schema)) {
    throw new StartError(
      `Cannot open the database: schema "${config.schema}" must be 1 to 63 lower-case letters, ` +
        "digits or _, and must not begin with a digit",
    );
  }
  return {
    dbName: databaseName(config.url),
    schema: config.schema,
    entities: [...entities],
    loggerFactory: () => ormLogger(log, onQuery),
    preferReadReplicas: false,
    pool: { min: 0, max: config.poolMax },
    driverOptions: connection(config.url, pools, pulse, timeouts),
  };
}

// The whole URL goes to the driver: the ORM itself would drop parameters such as sslmode.
function connection(
  url: string,
  pools: PoolWatch,
  pulse: Pulse | undefined,
  timeouts: boolean,
): Record<string, unknown> {
  const onPoolCreated: (pool: Parameters<PoolWatch["onPoolCreated"]>[0]) => void = (pool) =>
    pools.onPoolCreated(pool, pulse);
  return {
    onPoolCreated,
    connectionString: url,
    application_name: "vmx-gateway",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    ...(timeouts
      ? {
        statement_timeout: statementTimeoutMs,
        idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
        // The server keeps to its timeout; a network that swallowed its answer does not.
        query_timeout: statementTimeoutMs + 3_000,
      }
      : {}),
  };
}

function replica(url: string, pools: PoolWatch, pulse: Pulse) {
  return { dbName: databaseName(url), driverOptions: connection(url, pools, pulse, true) };
}

function endsWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  return Promise.race([promise.then(() => true), late]).finally(() => clearTimeout(timer));
}

function databaseName(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "postgres:" && parsed?.protocol !== "postgresql:") {
    throw new StartError(
      "Cannot open the database: DATABASE_URL must look like postgresql://user:password@host:5432/name",
    );
  }
  return decodeURIComponent(parsed.pathname.slice(1)) || "postgres";
}

function ormLogger(log: Log, onQuery: () => void): Logger {
  return {
    log: () => {},
    logQuery: onQuery,
    error: (_namespace, message) => log.debug(message),
    warn: (_namespace, message) => log.debug(message),
    setDebugMode: () => {},
    isEnabled: () => false,
  };
}
