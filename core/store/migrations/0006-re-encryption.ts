import { Migration } from "@mikro-orm/migrations";

/** The job that seals all stored secrets with another key: asked for once, whoever finishes it. */
export class ReEncryptionMigration extends Migration {
  override name = "0006-re-encryption";

  override up(): void {
    const schema = `"${this.config.get("schema")!}"`;
    this.addSql(`
create table ${schema}.re_encryption (
  id integer primary key check (id = 1),
  backend text not null,
  key_version integer not null,
  requested_by uuid,
  requested_at timestamptz(3) not null,
  finished_at timestamptz(3),
  errors json not null default '[]',
  runner uuid,
  runner_until timestamptz(3)
);`);
  }
}
