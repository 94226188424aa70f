import { p } from "@mikro-orm/core";

/** `onCreate` of a column that starts as null; the builder's own type does not admit null there. */
export const none = (): never => null as never;

/**
 * Columns of every configuration table. `change()` fills them: nobody else assigns `version`, `revision`,
 * `updatedAt` or `updatedBy`.
 */
export const tracked = {
  /** Grows by one per change; source of the ETag. */
  version: p.integer().onCreate(() => 1),
  /** Configuration revision of the last change; snapshot loaders read what is newer than their own. */
  revision: p.bigint("number").onCreate(() => 0),
  createdAt: p.datetime(3).onCreate(() => new Date()),
  updatedAt: p.datetime(3).onCreate(() => new Date()),
  /** User id, or null for the bootstrap. */
  createdBy: p.uuid().strictNullable().onCreate(none),
  updatedBy: p.uuid().strictNullable().onCreate(none),
  /** Label of the configuration apply that owns the row. */
  managedBy: p.string().strictNullable().onCreate(none),
};

/** Columns of a row that only links two others. */
export const trackedLink = {
  version: tracked.version,
  revision: tracked.revision,
};
