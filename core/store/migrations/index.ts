import type { Migration } from "@mikro-orm/migrations";
import { InitialMigration } from "./0001-initial.ts";
import { AuditMigration } from "./0002-audit.ts";
import { CapacityCopiesMigration } from "./0003-capacity-copies.ts";
import { UsageMigration } from "./0004-usage.ts";
import { AuditFiltersMigration } from "./0005-audit-filters.ts";
import { ReEncryptionMigration } from "./0006-re-encryption.ts";
import type { knownMigrations } from "../migrate.ts";

type Name = (typeof knownMigrations)[number];

/** Every migration in order, under the name the database remembers it by. */
export const migrationsList: {
  name: Name;
  class: new (...given: ConstructorParameters<typeof Migration>) => Migration;
}[] = [
  { name: "0001-initial", class: InitialMigration },
  { name: "0002-audit", class: AuditMigration },
  { name: "0003-capacity-copies", class: CapacityCopiesMigration },
  { name: "0004-usage", class: UsageMigration },
  { name: "0005-audit-filters", class: AuditFiltersMigration },
  { name: "0006-re-encryption", class: ReEncryptionMigration },
];
