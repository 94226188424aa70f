import type { Delta, SnapshotRows } from "./snapshot-rows.ts";

/** Rows of the snapshot by table and primary key. */
export type SnapshotTables = {
  readonly [Table in keyof SnapshotRows]: Map<string, SnapshotRows[Table][number]>;
};

const primaryKeys: { readonly [Table in keyof SnapshotRows]: readonly string[] } = {
  Workspace: ["workspaceId"],
  WorkspaceMember: ["workspaceId", "userId"],
  Environment: ["environmentId"],
  AiConnection: ["connectionId"],
  AiResource: ["resourceId"],
  ApiKey: ["apiKeyId"],
  ApiKeyAssignment: ["apiKeyId", "resourceId"],
  PoolDefinition: ["environmentId"],
  PluginSetting: ["pluginId"],
  User: ["userId"],
  Role: ["roleId"],
  RoleAssignment: ["userId", "roleId"],
  PersonalAccessToken: ["tokenId"],
};

// Children the database deletes with their parent, without a tombstone of their own.
const parents: readonly [keyof SnapshotRows, string, keyof SnapshotRows][] = [
  ["Environment", "workspaceId", "Workspace"],
  ["WorkspaceMember", "workspaceId", "Workspace"],
  ["WorkspaceMember", "userId", "User"],
  ["AiConnection", "environmentId", "Environment"],
  ["AiResource", "environmentId", "Environment"],
  ["ApiKey", "environmentId", "Environment"],
  ["PoolDefinition", "environmentId", "Environment"],
  ["ApiKeyAssignment", "apiKeyId", "ApiKey"],
  ["ApiKeyAssignment", "resourceId", "AiResource"],
  ["RoleAssignment", "userId", "User"],
  ["RoleAssignment", "roleId", "Role"],
  ["PersonalAccessToken", "userId", "User"],
];

/** Tables without rows. */
export function emptyTables(): SnapshotTables {
  return Object.fromEntries(
    Object.keys(primaryKeys).map((name) => [name, new Map()]),
  ) as unknown as SnapshotTables;
}

/** Brings the tables to the state the delta leads to. Rows it does not name stay the same objects. */
export function applyDelta(tables: SnapshotTables, delta: Delta): void {
  const maps = tables as Record<string, Map<string, Record<string, unknown>>>;
  if (delta.isFull) { for (const map of Object.values(maps)) map.clear(); }
  for (const { entityType, entityId } of delta.deleted) maps[entityType]?.delete(entityId);
  // After the tombstones: a row that was deleted and made again is in the delta.
  for (const [name, rows] of Object.entries(delta.rows)) {
    const keys = primaryKeys[name as keyof SnapshotRows];
    for (const row of rows as Record<string, unknown>[]) {
      maps[name]!.set(keys.map((key) => row[key]).join(":"), row);
    }
  }
  if (delta.deleted.length === 0) return;
  for (const [child, key, parent] of parents) {
    for (const [id, row] of maps[child]!) {
      if (!maps[parent]!.has(row[key] as string)) maps[child]!.delete(id);
    }
  }
}
