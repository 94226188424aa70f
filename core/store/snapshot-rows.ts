import { IsolationLevel } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { Database } from "./database.ts";
import { databaseError } from "./database-error.ts";
import {
  AiConnection,
  AiResource,
  ApiKey,
  ApiKeyAssignment,
  Environment,
  PersonalAccessToken,
  PluginSetting,
  PoolDefinition,
  Revision,
  Role,
  RoleAssignment,
  Tombstone,
  User,
  Workspace,
  WorkspaceMember,
} from "./entities/index.ts";

/** The tables a snapshot is made of, in the order parents before children. */
export const snapshotEntities = {
  Workspace,
  WorkspaceMember,
  Environment,
  AiConnection,
  AiResource,
  ApiKey,
  ApiKeyAssignment,
  PoolDefinition,
  PluginSetting,
  User,
  Role,
  RoleAssignment,
  PersonalAccessToken,
};

/** Rows of each table of the snapshot. */
export interface SnapshotRows {
  readonly Workspace: readonly Workspace[];
  readonly WorkspaceMember: readonly WorkspaceMember[];
  readonly Environment: readonly Environment[];
  readonly AiConnection: readonly AiConnection[];
  readonly AiResource: readonly AiResource[];
  readonly ApiKey: readonly ApiKey[];
  readonly ApiKeyAssignment: readonly ApiKeyAssignment[];
  readonly PoolDefinition: readonly PoolDefinition[];
  readonly PluginSetting: readonly PluginSetting[];
  readonly User: readonly User[];
  readonly Role: readonly Role[];
  readonly RoleAssignment: readonly RoleAssignment[];
  readonly PersonalAccessToken: readonly PersonalAccessToken[];
}

/** Where a copy of the configuration stands. */
export interface Position {
  readonly revision: number;
  readonly epoch: string;
}

/** What separates a copy from the present state. */
export interface Delta extends Position {
  /** The rows are everything there is: whatever else the copy holds is gone. */
  readonly isFull: boolean;
  readonly rows: SnapshotRows;
  readonly deleted: readonly Pick<Tombstone, "entityType" | "entityId" | "revision">[];
}

/**
 * Reads what is newer than `since`, or undefined when nothing is. Throws `DATABASE_UNAVAILABLE`.
 * One small query when nothing changed; otherwise one transaction that sees one state of all tables.
 */
export async function readDelta(
  database: Database,
  since: Position | undefined,
): Promise<Delta | undefined> {
  try {
    const em = database.em();
    if (since) {
      const present = await em.findOneOrFail(Revision, 1, { disableIdentityMap: true });
      if (present.revision === since.revision && present.epoch === since.epoch) return undefined;
    }
    return await em.transactional((inner) => readTables(inner as EntityManager, since), {
      isolationLevel: IsolationLevel.REPEATABLE_READ,
      readOnly: true,
    });
  } catch (error) {
    throw databaseError(error);
  }
}

async function readTables(em: EntityManager, since: Position | undefined): Promise<Delta> {
  const { revision, epoch, prunedRevision } = await em.findOneOrFail(Revision, 1);
  // Another epoch or a smaller revision is another history, such as a restored backup.
  const isFull = since === undefined || since.epoch !== epoch || since.revision > revision ||
    since.revision < prunedRevision;
  const newer = { revision: { $gt: isFull ? -1 : since.revision } };
  const rows: Record<string, unknown> = {};
  for (const [name, entity] of Object.entries(snapshotEntities)) {
    rows[name] = await em.find(entity as typeof Workspace, newer, { disableIdentityMap: true });
  }
  const deleted = isFull ? [] : await em.find(Tombstone, newer, { disableIdentityMap: true });
  return { revision, epoch, isFull, rows: rows as unknown as SnapshotRows, deleted };
}
