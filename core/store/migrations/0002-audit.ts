import { Migration } from "@mikro-orm/migrations";

/** Days audit rows are kept, one list partition each. Part of the migration: later classes come with later ones. */
const classes = [1, 7, 30, 90, 400, 3650];

/** The audit: rows, and their payloads apart. Days are partitions that are made as they are needed. */
export class AuditMigration extends Migration {
  override name = "0002-audit";

  override up(): void {
    const schema = this.config.get("schema")!;
    const partitions = ["audit", "audit_payloads"].flatMap((table) =>
      classes.map((days) =>
        `create table $schema.${table}_${days} partition of $schema.${table} ` +
        `for values in (${days}) partition by range (timestamp);`
      )
    );
    this.addSql([statements, ...partitions].join("\n").replaceAll("$schema", `"${schema}"`));
  }
}

const statements = `
create table $schema.audit (
  audit_class smallint not null,
  timestamp timestamptz(3) not null,
  request_id uuid not null,
  usage_class smallint not null,
  workspace_id uuid not null,
  environment_id uuid not null,
  type text not null,
  endpoint text not null,
  stream boolean not null,
  batch_id uuid,
  batch_item_id uuid,
  correlation_id text,
  metadata jsonb not null,
  api_key_id uuid,
  api_key_name text,
  api_key_labels jsonb not null,
  user_id uuid,
  source_ip text not null,
  user_agent text,
  resource_id text,
  resource_name text,
  connection_id text,
  provider text,
  model text,
  provider_model text,
  service_tier text,
  system_fingerprint text,
  status text not null,
  status_code smallint,
  error_code text,
  error_message text,
  failure_reason text,
  finish_reason text,
  warnings jsonb not null,
  total_duration_ms double precision,
  gate_duration_ms double precision,
  routing_duration_ms double precision,
  provider_duration_ms double precision,
  time_to_first_token_ms double precision,
  tokens_per_second double precision,
  tokens jsonb,
  usage_source text,
  cost jsonb,
  original_cost jsonb,
  rated_at timestamptz(3),
  events jsonb not null,
  legs jsonb not null,
  revision bigint,
  routing jsonb,
  payload_capture text not null,
  primary key (audit_class, timestamp, request_id)
) partition by list (audit_class);
create index audit_newest on $schema.audit (environment_id, timestamp desc, request_id desc);
create index audit_resource on $schema.audit
  (environment_id, resource_id, timestamp desc, request_id desc);
create index audit_connection on $schema.audit
  (environment_id, connection_id, timestamp desc, request_id desc);
create index audit_api_key on $schema.audit
  (environment_id, api_key_id, timestamp desc, request_id desc);
create index audit_failed on $schema.audit
  (environment_id, status, timestamp desc, request_id desc) where status <> 'ok';
create index audit_correlation on $schema.audit (environment_id, correlation_id)
  where correlation_id is not null;
create index audit_user on $schema.audit (environment_id, user_id, timestamp desc)
  where user_id is not null;
create index audit_batch on $schema.audit (batch_id) where batch_id is not null;
create index audit_metadata on $schema.audit using gin (metadata jsonb_path_ops)
  where metadata <> '{}';

create table $schema.audit_payloads (
  audit_class smallint not null,
  timestamp timestamptz(3) not null,
  request_id uuid not null,
  encoding text not null,
  body bytea,
  state jsonb not null,
  primary key (audit_class, timestamp, request_id)
) partition by list (audit_class);
alter table $schema.audit_payloads alter column body set storage external;
`;
