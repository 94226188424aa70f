import type { Statements } from "./statements.ts";

const dayMs = 86_400_000;
/** How long activity is kept. */
const activityMs = 400 * dayMs;
/** A process that lags behind further, or starts from an older snapshot, reads the configuration anew. */
const tombstonesMs = 7 * dayMs;
// Short statements: none holds its locks for long or meets the statement timeout.
const stepRows = 5_000;

/** Rows that went, by table; of API keys those that lost the hash of an earlier value. */
export type Pruned = Readonly<Record<string, number>>;

/**
 * Deletes what is over: sessions and idempotency keys that have expired, hashes of API keys that were rolled and whose
 * grace has ended, activity after 400 days, and tombstones after a week. Tokens and keys that have expired stay: whoever
 * made them sees them, and uses of them are told apart from those of an unknown value. Throws `DATABASE_UNAVAILABLE`; what was deleted until then stays deleted.
 *
 * @param now Unix milliseconds
 */
export async function pruneExpired({ write, schema }: Statements, now: number): Promise<Pruned> {
  const oldest = (table: string, column: string, key: string) =>
    `delete from ${schema}.${table} where (${key}) in
       (select ${key} from ${schema}.${table} where ${column} < $1 order by ${column} limit $2
        for update skip locked)`;
  const counted = (statement: string) =>
    `with gone as (${statement} returning 1) select count(*)::int as count from gone`;
  const steps: [table: string, statement: string, before: number][] = [
    ["sessions", counted(oldest("sessions", "expires_at", "session_hash")), now],
    ["idempotency_keys", counted(oldest("idempotency_keys", "expires_at", "caller, key")), now],
    [
      "api_keys",
      // Nobody need hear of it: every process goes by the time it was valid until.
      counted(
        `update ${schema}.api_keys set previous_hash = null, previous_valid_until = null
         where api_key_id in (select api_key_id from ${schema}.api_keys
           where previous_valid_until < $1 limit $2 for update skip locked)`,
      ),
      now,
    ],
    [
      "activity_entries",
      counted(oldest("activity_entries", "at", "activity_id")),
      now - activityMs,
    ],
    [
      "tombstones",
      `with gone as (
         ${oldest("tombstones", "at", "revision, entity_type, entity_id")} returning revision
       ), noted as (
         update ${schema}.revision set pruned_revision = greatest(pruned_revision, latest)
         from (select max(revision) as latest from gone) as gone where latest is not null
       )
       select count(*)::int as count from gone`,
      now - tombstonesMs,
    ],
  ];
  const pruned: Record<string, number> = {};
  for (const [table, statement, before] of steps) {
    pruned[table] = 0;
    for (let count = stepRows; count === stepRows; pruned[table] += count) {
      [{ count } = { count: 0 }] = await write<{ count: number }>(statement, [
        new Date(before),
        stepRows,
      ]);
    }
  }
  return pruned;
}
