import { InitialMigration } from "./0001-initial.ts";
import type { knownMigrations } from "../migrate.ts";

type Name = (typeof knownMigrations)[number];

/** Every migration in order, under the name the database remembers it by. */
export const migrationsList: { name: Name; class: typeof InitialMigration }[] = [
  { name: "0001-initial", class: InitialMigration },
];
