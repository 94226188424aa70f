import type { EntityManager } from "@mikro-orm/postgresql";
import type { Database } from "../../store/database.ts";

/** A key of a backend. */
export interface KeyName {
  readonly backend: string;
  readonly keyVersion: number;
}

/** What was asked for last: one row for the whole installation. */
export interface Job {
  /** The key all values are to be sealed with. */
  readonly target: KeyName;
  /** Id of the user who asked. */
  readonly requestedBy: string | null;
  readonly isFinished: boolean;
  /** Whether a process has it in hand. */
  readonly isClaimed: boolean;
  /** Values that could not be opened, or why it cannot go on at present. */
  readonly errors: readonly string[];
}

/** The row, and who may work on it. Throws `DATABASE_UNAVAILABLE`. */
export interface JobTable {
  read(): Promise<Job | undefined>;
  /** Asks within a transaction; answers false when just this is asked for already. */
  request(em: EntityManager, target: KeyName, requestedBy: string | null): Promise<boolean>;
  /** Takes the job for a while, or keeps it for longer; undefined when there is none to take. */
  claim(runner: string, target: KeyName): Promise<Pick<Job, "requestedBy"> | undefined>;
  /** Whether the job is in this runner's hand, told within the transaction that writes. */
  isClaimedBy(em: EntityManager, runner: string): Promise<boolean>;
  /** Lets go of the job: it is done, or another may take it at once. */
  release(runner: string, how: { isFinished: boolean; errors: readonly string[] }): Promise<void>;
}

/** Creates the table's reader and writer. */
export function createJobTable(
  { statements }: Pick<Database, "statements">,
  leaseMs: number,
): JobTable {
  const table = `${statements.schema}.re_encryption`;
  return {
    async read() {
      const [row] = await statements.write<{
        backend: string;
        keyVersion: number;
        requestedBy: string | null;
        isFinished: boolean;
        isClaimed: boolean;
        errors: string[];
      }>(`
        select backend, key_version as "keyVersion", requested_by as "requestedBy", errors,
          finished_at is not null as "isFinished", coalesce(runner_until > now(), false) as "isClaimed"
        from ${table}`);
      if (!row) return undefined;
      const { backend, keyVersion, ...job } = row;
      return { ...job, target: { backend, keyVersion } };
    },

    async request(em, { backend, keyVersion }, requestedBy) {
      const rows: unknown[] = await em.execute(
        `
        insert into ${table} as job (id, backend, key_version, requested_by, requested_at)
        values (1, ?, ?, ?, now())
        on conflict (id) do update set backend = excluded.backend, key_version = excluded.key_version,
          requested_by = excluded.requested_by, requested_at = excluded.requested_at,
          finished_at = null, errors = '[]', runner = null, runner_until = null
        where job.finished_at is not null
          or (job.backend, job.key_version) <> (excluded.backend, excluded.key_version)
        returning id`,
        [backend, keyVersion, requestedBy],
      );
      return rows.length > 0;
    },

    async claim(runner, { backend, keyVersion }) {
      const [row] = await statements.write<Pick<Job, "requestedBy">>(
        `
        update ${table} set runner = $1, runner_until = now() + $2 * interval '1 millisecond'
        where finished_at is null and backend = $3 and key_version = $4
          and (runner is null or runner = $1 or runner_until < now())
        returning requested_by as "requestedBy"`,
        [runner, leaseMs, backend, keyVersion],
      );
      return row;
    },

    async isClaimedBy(em, runner) {
      const rows: unknown[] = await em.execute(
        `select id from ${table} where runner = ? and finished_at is null`,
        [runner],
      );
      return rows.length > 0;
    },

    async release(runner, { isFinished, errors }) {
      await statements.write(
        `
        update ${table} set runner = null, runner_until = null, errors = $2,
          finished_at = case when $3 then now() end
        where runner = $1`,
        [runner, JSON.stringify(errors), isFinished],
      );
    },
  };
}
