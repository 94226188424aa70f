import { randomUUID } from "node:crypto";
import type { Clock, Log, SharedState } from "../../contract/index.ts";
import type { Query, Statements } from "../../store/statements.ts";
import { counts, measures, rollupDimensions, usageColumn } from "./measures.ts";
import { barSql } from "./sketch.ts";

/** Tables of rollups, kept as long as the usage setting says. */
export const rollupTables = ["usage_minutes", "usage_hours", "usage_days"] as const;

/** The job that keeps rollups. */
export interface Rollups {
  /** Rolls up every minute that was touched; answers how many. */
  run(): Promise<number>;
  stop(): Promise<void>;
}

const everyMs = 60_000;
const leaseMs = 120_000;
const minutesPerRound = 60;

/** Starts the job: every minute, in one of all processes. */
export function startRollups(
  statements: Statements,
  sharedState: () => Promise<SharedState>,
  clock: Clock,
  log: Log,
): Rollups {
  const owner = randomUUID();
  const build = createBuild(statements.schema);
  let running: Promise<number> = Promise.resolve(0);
  let stopped = false;

  const run = () => {
    running = running.catch(() => 0).then(rollUp);
    return running;
  };
  const timer = setInterval(() => {
    void tick().catch((error: unknown) =>
      log.warn("Cannot roll up usage; it is tried again", { error })
    );
  }, everyMs);
  timer.unref();

  async function tick(): Promise<void> {
    if (!await (await sharedState()).lease("usage-rollups", owner, leaseMs)) return;
    await run();
  }

  async function rollUp(): Promise<number> {
    let total = 0;
    while (!stopped) {
      const minutes = await statements.transaction((query) => build(query, clock.now()));
      total += minutes;
      if (minutes < minutesPerRound) break;
    }
    return total;
  }

  return {
    run,
    async stop() {
      clearInterval(timer);
      stopped = true;
      await running.catch(() => {});
    },
  };
}

/** Recomputes the oldest touched minutes, then the hours and days around them; answers how many minutes. */
function createBuild(schema: string): (query: Query, now: number) => Promise<number> {
  const [minuteTable, hourTable, dayTable] = rollupTables.map((table) => `${schema}.${table}`);
  const fromPoints = pointsSql(schema, minuteTable!);
  return async (query, now) => {
    await query("select pg_advisory_xact_lock(hashtext('vmx usage rollups'), hashtext($1))", [
      schema,
    ]);
    const touched = await query<{ minute: Date }>(
      `delete from ${schema}.usage_touched where minute in
         (select distinct minute from ${schema}.usage_touched order by minute limit $1)
       returning minute`,
      [minutesPerRound],
    );
    const minutes = [...new Set(touched.map(({ minute }) => minute.getTime()))];
    if (minutes.length === 0) return 0;
    // Compiling these statements takes longer than running them, and partitions of today have no statistics yet: the
    // planner would compare all rows with all sketches.
    await query("set local jit = off");
    await query("set local enable_nestloop = off");
    const at = new Date(now);
    const first = Math.min(...minutes);
    const last = Math.max(...minutes);
    const dates = (unitMs: number) =>
      [
        ...new Set(minutes.map((minute) => Math.floor(minute / unitMs) * unitMs)),
      ].map((start) => new Date(start));
    // What raw points are gone of cannot be counted again: it stays as it is.
    await query(
      `delete from ${minuteTable} where timestamp = any($1)
         and timestamp + (audit_class + 1) * interval '1 day' > $2`,
      [dates(60_000), at],
    );
    // The bounds say nothing new, but tell the planner which partitions it can leave out.
    await query(fromPoints, [dates(60_000), at, new Date(first), new Date(last + 60_000)]);
    for (
      const [from, to, unit, unitMs] of [
        [minuteTable!, hourTable!, "1 hour", 3_600_000],
        [hourTable!, dayTable!, "1 day", 86_400_000],
      ] as const
    ) {
      await query(`delete from ${to} where timestamp = any($1)`, [dates(unitMs)]);
      const [begin, until] = [Math.floor(first / unitMs), Math.floor(last / unitMs) + 1];
      await query(mergeSql(from, to, unit), [
        dates(unitMs),
        new Date(begin * unitMs),
        new Date(until * unitMs),
      ]);
    }
    return minutes.length;
  };
}

const dimensionColumns = rollupDimensions.map((name) =>
  name === "apiKeyLabel" ? "api_key_labels" : usageColumn(name)
);
const keys = ["audit_class", "usage_class", ...dimensionColumns].join(", ");
const firstOfKeys = ["audit_class", "usage_class", ...dimensionColumns]
  .map((column) => `(array_agg(${column}))[1] as ${column}`)
  // An array of arrays would be taken apart.
  .map((text) =>
    text.includes("api_key_labels")
      ? "(array_agg(to_jsonb(api_key_labels)))[1] as api_key_labels"
      : text
  )
  .join(", ");
const labels = "array(select jsonb_array_elements_text(api_key_labels))";
const each = (write: (column: string, index: number) => string) =>
  measures.map((name, index) => write(usageColumn(name), index)).join(", ");

function pointsSql(schema: string, table: string): string {
  const sketched = measures
    .map((name, index) => ({ name, index }))
    .filter(({ name }) => !counts.has(name))
    .map(({ name, index }) => `(${index}, ${usageColumn(name)}::double precision)`)
    .join(", ");
  return `
with points as materialized (
  select minute, md5(row(${dimensionColumns.map((column) => `p.${column}`).join(", ")})::text)::uuid
    as series, p.*
  from unnest($1::timestamptz[]) as minute
  join ${schema}.usage_points p
    on p.timestamp >= minute and p.timestamp < minute + interval '1 minute'
    and p.timestamp >= $3 and p.timestamp < $4
  where minute + (p.audit_class + 1) * interval '1 day' > $2 or not exists (
    select from ${table} u where u.timestamp = minute and u.audit_class = p.audit_class
  )
), bars as (
  select minute, series, audit_class, usage_class, measure, ${barSql("value")} as bar, count(*) as n
  from points cross join lateral (values ${sketched}) as m(measure, value)
  where value is not null
  group by 1, 2, 3, 4, 5, 6
), sketches as (
  select minute, series, audit_class, usage_class, jsonb_object_agg(measure, bars) as sketches
  from (
    select minute, series, audit_class, usage_class, measure, jsonb_object_agg(bar, n) as bars
    from bars group by 1, 2, 3, 4, 5
  ) as by_measure group by 1, 2, 3, 4
), rows as (
  select minute, series, ${keys},
    array[${each((column) => `coalesce(sum(${column})::numeric, 0)`)}] as sums,
    array[${each((column) => `count(${column})`)}] as counts,
    array[${each((column) => `min(${column})::double precision`)}] as least_values,
    array[${each((column) => `max(${column})::double precision`)}] as greatest_values
  from points group by minute, series, ${keys}
)
insert into ${table} (timestamp, series, ${keys}, sums, counts, least_values, greatest_values, sketches)
select minute, series, ${keys}, sums, counts, least_values, greatest_values,
  coalesce(sketches, '{}')
from rows left join sketches using (minute, series, audit_class, usage_class)`;
}

function mergeSql(from: string, to: string, unit: string): string {
  return `
with finer as materialized (
  select start, f.* from unnest($1::timestamptz[]) as start
  join ${from} f on f.timestamp >= start and f.timestamp < start + interval '${unit}'
    and f.timestamp >= $2 and f.timestamp < $3
), sketches as (
  select start, series, audit_class, usage_class, jsonb_object_agg(measure, bars) as sketches
  from (
    select start, series, audit_class, usage_class, measure, jsonb_object_agg(bar, n) as bars
    from (
      select start, series, audit_class, usage_class, m.key as measure, b.key as bar,
        sum(b.value::bigint) as n
      from finer, jsonb_each(sketches) m, jsonb_each_text(m.value) b
      group by 1, 2, 3, 4, 5, 6
    ) as by_bar group by 1, 2, 3, 4, 5
  ) as by_measure group by 1, 2, 3, 4
), rows as (
  select start, series, ${
    firstOfKeys.replace("(array_agg(audit_class))[1] as audit_class", "audit_class")
      .replace("(array_agg(usage_class))[1] as usage_class", "usage_class")
  },
    array[${each((_, index) => `sum(sums[${index + 1}])`)}] as sums,
    array[${each((_, index) => `sum(counts[${index + 1}])::bigint`)}] as counts,
    array[${each((_, index) => `min(least_values[${index + 1}])`)}] as least_values,
    array[${each((_, index) => `max(greatest_values[${index + 1}])`)}] as greatest_values
  from finer group by start, series, audit_class, usage_class
)
insert into ${to} (timestamp, series, ${keys}, sums, counts, least_values, greatest_values, sketches)
select start, series, ${keys.replace("api_key_labels", labels)},
  sums, counts, least_values, greatest_values, coalesce(sketches, '{}')
from rows left join sketches using (start, series, audit_class, usage_class)`;
}
