import { type EntityManager, MikroORM } from "@mikro-orm/postgresql";
import type { Log } from "../contract/plugin.ts";
import { type DatabaseConfig, ormOptions } from "./database.ts";
import { StartError } from "../start-error.ts";
import { databaseError } from "./database-error.ts";

// First half of the advisory lock's key; the second is the schema, so that two installations do not wait.
const lockSpace = 0x766d78;
const lockTimeoutSeconds = 120;

/** Names of all migrations this version knows, in order. */
export const knownMigrations = [
  "0001-initial",
  "0002-audit",
  "0003-capacity-copies",
  "0004-usage",
  "0005-audit-filters",
  "0006-re-encryption",
] as const;

/**
 * Brings the schema up to date under an advisory lock, all migrations in one transaction, and answers the
 * names of those it ran. Throws a plain sentence when the schema is newer than this version understands,
 * `DATABASE_UNAVAILABLE` when the database is away.
 */
export async function migrateDatabase(
  config: DatabaseConfig,
  em: EntityManager,
  log: Log,
): Promise<string[]> {
  try {
    if (isComplete(await executedMigrations(em, config.schema))) return [];
    return await runMigrations(config, log);
  } catch (error) {
    throw databaseError(error);
  }
}

async function runMigrations(config: DatabaseConfig, log: Log): Promise<string[]> {
  // Loaded late: a start on a complete schema does without the migrator.
  const [{ Migrator }, { migrationsList }] = await Promise.all([
    import("@mikro-orm/migrations"),
    import("./migrations/index.ts"),
  ]);
  const orm = new MikroORM({
    ...ormOptions(config, log, () => {}, { timeouts: false }),
    // One connection holds the lock and the transaction; the migrator makes schema and table on a second.
    pool: { min: 0, max: 2 },
    extensions: [Migrator],
    migrations: {
      migrationsList,
      tableName: `${config.schema}.migrations`,
      silent: true,
      snapshot: false,
    },
  });
  try {
    const startedAt = performance.now();
    const names = await orm.em.fork().transactional(async (em) => {
      await em.execute(`set local lock_timeout = '${lockTimeoutSeconds}s'`);
      await em.execute("select pg_advisory_xact_lock(?, hashtext(?))", [lockSpace, config.schema]);
      if (isComplete(await executedMigrations(em as EntityManager, config.schema))) return [];
      const transaction = em.getTransactionContext();
      return (await orm.migrator.up({ transaction })).map((migration) => migration.name);
    });
    log.debug("database migrated", { migrations: names, ms: elapsed(startedAt) });
    return names;
  } finally {
    await orm.close(true);
  }
}

async function executedMigrations(em: EntityManager, schema: string): Promise<string[]> {
  const table = `"${schema}".migrations`;
  const [found] = await em.execute("select to_regclass(?) as name", [table]);
  if (!found?.name) return [];
  const rows: { name: string }[] = await em.execute(`select name from ${table} order by id`);
  return rows.map((row) => row.name);
}

function isComplete(executed: string[]): boolean {
  const known: readonly string[] = knownMigrations;
  const newer = executed.filter((name) => !known.includes(name));
  if (newer.length > 0) {
    throw new StartError(
      `Cannot use the database: its schema is newer than this version of the gateway understands ` +
        `(migration ${newer.join(", ")}). Start the newer version again`,
    );
  }
  return known.every((name) => executed.includes(name));
}

function elapsed(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
