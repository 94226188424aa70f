import { defineEntity, type InferEntity, p } from "@mikro-orm/core";

/** The configuration revision: one row, locked by every change, so that revisions commit in order. */
export const Revision = defineEntity({
  name: "Revision",
  tableName: "revision",
  properties: {
    id: p.integer().primary(),
    revision: p.bigint("number"),
    /** Made anew with each database; a loader that meets another one reads everything. */
    epoch: p.uuid(),
    /** Tombstones up to here are gone; a loader that is older reads everything. */
    prunedRevision: p.bigint("number"),
  },
});
export type Revision = InferEntity<typeof Revision>;

/** What was deleted by which revision. Rows that went with their parent have no tombstone of their own. */
export const Tombstone = defineEntity({
  name: "Tombstone",
  tableName: "tombstones",
  properties: {
    revision: p.bigint("number").primary().autoincrement(false),
    /** Entity name, such as `AiConnection`. */
    entityType: p.string().primary(),
    /** Primary key; the parts of a composite one are joined by `:` in the order of the entity's properties. */
    entityId: p.string().primary(),
    at: p.datetime(3).onCreate(() => new Date()),
  },
});
export type Tombstone = InferEntity<typeof Tombstone>;
