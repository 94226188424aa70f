import type { Log } from "../contract/plugin.ts";
import type { Query, Statements } from "../store/statements.ts";

/** Which of the two retention settings a table follows. */
export type RetentionKind = "audit" | "usage";

/** Names of the tables of each kind. */
export type PartitionedTables = Readonly<Record<RetentionKind, readonly string[]>>;

/** A day of one retention class. */
export interface ClassDay {
  readonly kind: RetentionKind;
  readonly retentionClass: number;
  /** Unix milliseconds somewhere in the day (UTC). */
  readonly at: number;
}

/** Keeps the day partitions of tables that are partitioned by retention class and day. */
export interface Partitions {
  /** Makes the partitions rows of these days need; those it knows cost nothing. */
  ensure(days: Iterable<ClassDay>): Promise<void>;
  /** Drops what every row of is older than its class allows; answers the names of dropped partitions. */
  dropExpired(now: number): Promise<string[]>;
}

const dayMs = 86_400_000;
// A statement that waits for a lock makes all later ones wait behind it: it gives up soon and comes again.
const lockTimeoutMs = 50;

/**
 * @param tables names of tables that have one list partition `<table>_<class>` for each class, partitioned by range
 * of their column `timestamp`
 */
export function createPartitions(
  statements: Statements,
  tables: PartitionedTables,
  log: Log,
): Partitions {
  const { schema } = statements;
  const known = new Set<string>();

  return {
    async ensure(days) {
      const missing = new Map<string, ClassDay>();
      for (const day of days) {
        const key = `${day.kind} ${day.retentionClass} ${Math.floor(day.at / dayMs)}`;
        if (!known.has(key)) missing.set(key, day);
      }
      for (const [key, day] of missing) {
        await statements.transaction((query) => create(query, day));
        known.add(key);
      }
    },
    async dropExpired(now) {
      const dropped: string[] = [];
      for (const leaf of await leaves()) {
        if (!isExpired(leaf.name, now)) continue;
        try {
          await drop(leaf);
          dropped.push(leaf.name);
        } catch (error) {
          log.warn("Cannot drop an expired partition yet; it is tried again", {
            partition: leaf.name,
            error,
          });
        }
      }
      if (dropped.length > 0) {
        known.clear();
        log.info("Dropped expired partitions", { partitions: dropped.length });
      }
      return dropped;
    },
  };

  /** Made apart and attached, because creating a partition in place would lock out every insert meanwhile. */
  async function create(query: Query, day: ClassDay): Promise<void> {
    await query("select pg_advisory_xact_lock(hashtext('vmx partitions'), hashtext($1))", [schema]);
    const [from, to] = [startOf(day.at), startOf(day.at) + dayMs].map((at) =>
      new Date(at).toISOString()
    );
    for (const table of tables[day.kind]) {
      const parent = `${schema}."${table}_${day.retentionClass}"`;
      const name = `${schema}."${table}_${suffix(day)}"`;
      const [found] = await query<{ present: boolean }>(
        "select exists (select from pg_inherits where inhrelid = to_regclass($1)) as present",
        [name],
      );
      if (found?.present) continue;
      await query(`create table if not exists ${name} (like ${parent} including all)`);
      await query(
        `alter table ${parent} attach partition ${name} for values from ('${from}') to ('${to}')`,
      );
    }
  }

  function leaves(): Promise<{ parent: string; name: string; pending: boolean }[]> {
    return statements.write(
      `select parent.relname as parent, child.relname as name, inhdetachpending as pending
       from pg_inherits
       join pg_class child on child.oid = inhrelid
       join pg_class parent on parent.oid = inhparent
       join pg_namespace on pg_namespace.oid = child.relnamespace
       where quote_ident(nspname) = $1 or '"' || nspname || '"' = $1
       order by child.relname`,
      [schema],
    );
  }

  /** Detached first without locking inserts out; only then, when nobody sees it any more, dropped. */
  async function drop(
    { parent, name, pending }: { parent: string; name: string; pending: boolean },
  ): Promise<void> {
    const [table, partition] = [`${schema}."${parent}"`, `${schema}."${name}"`];
    await statements.write(
      `alter table ${table} detach partition ${partition} ${pending ? "finalize" : "concurrently"}`,
    );
    await dropDetached(partition);
  }

  async function dropDetached(partition: string): Promise<void> {
    await statements.transaction(async (query) => {
      await query(`set local lock_timeout = ${lockTimeoutMs}`);
      await query(`drop table if exists ${partition}`);
    });
  }

  function isExpired(name: string, now: number): boolean {
    for (const table of Object.values(tables).flat()) {
      const match = name.startsWith(`${table}_`)
        ? /^(\d+)_(\d{4})(\d\d)(\d\d)$/.exec(name.slice(table.length + 1))
        : null;
      if (!match) continue;
      const [, days, year, month, day] = match.map(Number);
      return Date.UTC(year!, month! - 1, day! + 1) + days! * dayMs <= now;
    }
    return false;
  }
}

function suffix({ retentionClass, at }: ClassDay): string {
  return `${retentionClass}_${new Date(at).toISOString().slice(0, 10).replaceAll("-", "")}`;
}

function startOf(at: number): number {
  return Math.floor(at / dayMs) * dayMs;
}
