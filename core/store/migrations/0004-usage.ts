import { Migration } from "@mikro-orm/migrations";

/** Retention classes in days, one list partition each; see the migration of the audit. */
const classes = [1, 7, 30, 90, 400, 3650];
const rollups = ["usage_minutes", "usage_hours", "usage_days"];

/** Price lists, usage points, and their rollups. Points are kept as long as audit rows, rollups as usage is. */
export class UsageMigration extends Migration {
  override name = "0004-usage";

  override up(): void {
    const schema = this.config.get("schema")!;
    const partitions = ["usage_points", ...rollups].flatMap((table) =>
      classes.map((days) =>
        `create table $schema.${table}_${days} partition of $schema.${table} ` +
        `for values in (${days}) partition by range (timestamp);`
      )
    );
    const text = [statements, ...rollups.map(rollupTable), ...partitions].join("\n");
    this.addSql(text.replaceAll("$schema", `"${schema}"`));
  }
}

const dimensions = `
  workspace_id uuid not null,
  environment_id uuid not null,
  resource_id text,
  connection_id text,
  provider text,
  model text,
  api_key_id uuid,
  api_key_labels text[] not null,
  user_id uuid,
  endpoint text not null,
  type text not null,
  status_code smallint,
  failure_reason text,`;

const statements = `
create table $schema.price_lists (
  price_list_id uuid primary key,
  version integer not null unique,
  effective_from timestamptz(3) not null,
  currency text not null,
  entries jsonb not null,
  created_at timestamptz(3) not null,
  created_by uuid
);

create table $schema.usage_points (
  timestamp timestamptz(3) not null,
  request_id uuid not null,
  leg_index smallint not null,
  audit_class smallint not null,
  usage_class smallint not null,${dimensions}
  message_id text,
  correlation_id text,
  source_ip text,
  metadata jsonb not null,
  prompt_tokens bigint,
  completion_tokens bigint,
  total_tokens bigint,
  cached_tokens bigint,
  cache_creation_tokens bigint,
  reasoning_tokens bigint,
  request_count smallint not null,
  leg_count smallint not null,
  success_count smallint not null,
  error_count smallint not null,
  tokens_per_second double precision,
  time_to_first_token double precision,
  request_duration double precision,
  provider_duration double precision,
  gate_duration double precision,
  routing_duration double precision,
  input_cost bigint,
  output_cost bigint,
  cached_cost bigint,
  reasoning_cost bigint,
  total_cost bigint,
  primary key (timestamp, request_id, leg_index, audit_class)
) partition by list (audit_class);
create index usage_points_environment on $schema.usage_points (environment_id, timestamp);

create table $schema.usage_touched (
  touch_id bigint generated always as identity primary key,
  minute timestamptz(0) not null
);
create index usage_touched_minute on $schema.usage_touched (minute);
`;

/** The arrays have a place for each measure, in the order of the points' columns. */
function rollupTable(table: string): string {
  return `
create table $schema.${table} (
  timestamp timestamptz(0) not null,
  series uuid not null,
  audit_class smallint not null,
  usage_class smallint not null,${dimensions}
  sums numeric[] not null,
  counts bigint[] not null,
  least_values double precision[] not null,
  greatest_values double precision[] not null,
  sketches jsonb not null,
  primary key (timestamp, series, audit_class, usage_class)
) partition by list (usage_class);
create index ${table}_environment on $schema.${table} (environment_id, timestamp);`;
}
