import { Migration } from "@mikro-orm/migrations";

/** Copies of long-lived capacity counters, for stores that start empty. */
export class CapacityCopiesMigration extends Migration {
  override name = "0003-capacity-copies";

  override up(): void {
    const schema = `"${this.config.get("schema")!}"`;
    this.addSql(`
create table ${schema}.capacity_copies (
  environment_id uuid primary key references ${schema}.environments on delete cascade
    deferrable initially deferred,
  counters json not null,
  copied_at timestamptz(3) not null
);`);
  }
}
