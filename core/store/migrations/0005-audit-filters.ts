import { Migration } from "@mikro-orm/migrations";

/** Indexes for filters of the audit that few rows pass, or none: without them all rows of the range were read. */
export class AuditFiltersMigration extends Migration {
  override name = "0005-audit-filters";

  override up(): void {
    this.addSql(statements.replaceAll("$schema", `"${this.config.get("schema")!}"`));
  }
}

// Those with a condition hold few rows and cost inserts next to nothing.
const statements = `
create index audit_model on $schema.audit
  (environment_id, model, timestamp desc, request_id desc);
create index audit_provider on $schema.audit
  (environment_id, provider, timestamp desc, request_id desc);
create index audit_type on $schema.audit
  (environment_id, type, timestamp desc, request_id desc) where type <> 'COMPLETION';
create index audit_endpoint on $schema.audit
  (environment_id, endpoint, timestamp desc, request_id desc) where endpoint <> 'CHAT_COMPLETIONS';
create index audit_duration on $schema.audit (environment_id, total_duration_ms);
create index audit_labels on $schema.audit using gin (api_key_labels)
  where api_key_labels <> '[]';
create index audit_failed_code on $schema.audit
  (environment_id, status_code, timestamp desc, request_id desc) where status_code > 200;
create index audit_failure_reason on $schema.audit
  (environment_id, failure_reason, timestamp desc, request_id desc) where failure_reason is not null;
create index audit_warned on $schema.audit (environment_id, timestamp desc, request_id desc)
  where warnings <> '[]';
create index audit_fell_back on $schema.audit (environment_id, timestamp desc, request_id desc)
  where legs @> '[{"kind": "fallback"}]';
`;
