import type { AiResource, ApiKey } from "./entities/index.ts";
import { completeSettings } from "./environment-settings.ts";
import type { OpenedConnection } from "./open-connection.ts";
import type {
  ApiKeyView,
  ConnectionView,
  EnvironmentView,
  PluginSettingView,
  PoolView,
  ResourceView,
  RoleView,
  Snapshot,
  TokenView,
  UserView,
  WorkspaceView,
} from "./snapshot.ts";
import type { SnapshotTables } from "./snapshot-tables.ts";

const noPools: readonly PoolView[] = [];

/** The snapshot before anything was loaded. */
export const emptySnapshot: Snapshot = {
  revision: 0,
  workspaces: new Map(),
  environments: new Map(),
  apiKeysByHash: new Map(),
  users: new Map(),
  tokensByHash: new Map(),
  roles: new Map(),
  plugins: new Map(),
};

/**
 * Creates the function that builds snapshots from tables. It remembers its last result: a view whose row and
 * relations are the same objects as before is the same object again.
 */
export function createSnapshotBuilder(): (
  revision: number,
  tables: SnapshotTables,
  opened: ReadonlyMap<string, OpenedConnection>,
) => Snapshot {
  const memory = createMemory();
  return (revision, tables, opened) => {
    memory.turn();
    const remember = memory.remember;
    const environmentOf = (id: string) => tables.Environment.get(id)!;

    const members = group(tables.WorkspaceMember.values(), (row) => row.workspaceId);
    const workspaces = toMap(tables.Workspace.values(), (row) => row.workspaceId, (row) => {
      const rows = members.get(row.workspaceId) ?? [];
      return remember<WorkspaceView>(`workspace ${row.workspaceId}`, [row, ...rows], () => ({
        workspaceId: row.workspaceId,
        name: row.name,
        members: new Map(rows.map((member) => [member.userId, member.role])),
      }));
    });

    const connections: ConnectionView[] = [...tables.AiConnection.values()].map((row) => {
      const environment = environmentOf(row.environmentId);
      const result = opened.get(row.connectionId)!;
      return remember(`connection ${row.connectionId}`, [row, result], () => ({
        connectionId: row.connectionId,
        environmentId: row.environmentId,
        workspaceId: environment.workspaceId,
        name: row.name,
        provider: row.provider,
        enabled: row.enabled,
        allowedModels: row.allowedModels,
        version: row.version,
        capacity: row.capacity,
        ...result,
      }));
    });

    const keysOf = group(tables.ApiKeyAssignment.values(), (row) => row.resourceId);
    const resources: ResourceView[] = [...tables.AiResource.values()].map((row) => {
      const keys = (keysOf.get(row.resourceId) ?? []).map((link) => link.apiKeyId);
      return remember(
        `resource ${row.resourceId}`,
        [row, ...keys],
        () => resourceView(row, keys),
      );
    });

    const connectionsOf = group(connections, (view) => view.environmentId);
    const resourcesOf = group(resources, (view) => view.environmentId);
    const environments = toMap(tables.Environment.values(), (row) => row.environmentId, (row) => {
      const own = connectionsOf.get(row.environmentId) ?? [];
      const served = resourcesOf.get(row.environmentId) ?? [];
      const pools = tables.PoolDefinition.get(row.environmentId)?.definition ?? noPools;
      const inputs = [row, pools, ...own, "resources", ...served];
      return remember<EnvironmentView>(`environment ${row.environmentId}`, inputs, () => ({
        environmentId: row.environmentId,
        workspaceId: row.workspaceId,
        name: row.name,
        settings: completeSettings(row.settings),
        connections: new Map(own.map((view) => [view.connectionId, view])),
        connectionsByName: new Map(own.map((view) => [view.name.toLowerCase(), view])),
        resources: new Map(served.map((view) => [view.resourceId, view])),
        resourcesByName: new Map(served.map((view) => [view.name.toLowerCase(), view])),
        pools,
      }));
    });

    const apiKeysByHash = new Map<string, ApiKeyView>();
    for (const row of tables.ApiKey.values()) {
      const { workspaceId } = environmentOf(row.environmentId);
      const view = remember(`key ${row.apiKeyId}`, [row], () => apiKeyView(row, workspaceId));
      apiKeysByHash.set(row.hash, view);
      const { previousHash, previousValidUntil: validUntil } = row;
      if (previousHash === null || validUntil === null) continue;
      const old = remember(`old key ${row.apiKeyId}`, [row], () => ({ ...view, validUntil }));
      apiKeysByHash.set(previousHash, old);
    }

    const rolesOf = group(tables.RoleAssignment.values(), (row) => row.userId);
    const users = toMap(tables.User.values(), (row) => row.userId, (row) => {
      const roleIds = (rolesOf.get(row.userId) ?? []).map((link) => link.roleId);
      return remember<UserView>(`user ${row.userId}`, [row, ...roleIds], () => ({
        userId: row.userId,
        username: row.username,
        email: row.email,
        name: row.name,
        state: row.state,
        roleIds,
      }));
    });
    const tokensByHash = toMap(
      tables.PersonalAccessToken.values(),
      (row) => row.hash,
      (row) =>
        remember<TokenView>(`token ${row.tokenId}`, [row], () => ({
          tokenId: row.tokenId,
          userId: row.userId,
          expiresAt: row.expiresAt,
          policy: row.policy,
        })),
    );
    const roles = toMap(
      tables.Role.values(),
      (row) => row.roleId,
      (row) =>
        remember<RoleView>(`role ${row.roleId}`, [row], () => ({
          roleId: row.roleId,
          name: row.name,
          builtIn: row.builtIn,
          policy: row.policy,
        })),
    );
    const plugins = toMap(
      tables.PluginSetting.values(),
      (row) => row.pluginId,
      (row) =>
        remember<PluginSettingView>(`plugin ${row.pluginId}`, [row], () => ({
          pluginId: row.pluginId,
          enabled: row.enabled,
          settings: row.settings,
          version: row.version,
        })),
    );
    return {
      revision,
      workspaces,
      environments,
      apiKeysByHash,
      users,
      tokensByHash,
      roles,
      plugins,
    };
  };
}

function resourceView(row: AiResource, keys: readonly string[]): ResourceView {
  return {
    resourceId: row.resourceId,
    environmentId: row.environmentId,
    name: row.name,
    description: row.description,
    enabled: row.enabled,
    model: row.model,
    secondaryModels: row.secondaryModels,
    fallbackModels: row.fallbackModels,
    useFallback: row.useFallback,
    routing: row.routing,
    defaultArgs: row.defaultArgs,
    onLoss: row.onLoss,
    capacity: row.capacity,
    enforceCapacity: row.enforceCapacity,
    assignedApiKeys: new Set(keys),
    createdAt: row.createdAt,
    version: row.version,
  };
}

function apiKeyView(row: ApiKey, workspaceId: string): ApiKeyView {
  return {
    apiKeyId: row.apiKeyId,
    environmentId: row.environmentId,
    workspaceId,
    name: row.name,
    enabled: row.enabled,
    expiresAt: row.expiresAt,
    restrictToAssigned: row.restrictToAssigned,
    allowOverrides: row.allowOverrides,
    allowAdHoc: row.allowAdHoc,
    labels: row.labels,
    enforceCapacity: row.enforceCapacity,
    capacity: row.capacity,
  };
}

// Views of the last two turns: what a turn does not ask for is forgotten with the next.
function createMemory() {
  type Entry = { readonly inputs: readonly unknown[]; readonly view: unknown };
  let last = new Map<string, Entry>();
  let next = new Map<string, Entry>();
  return {
    turn(): void {
      last = next;
      next = new Map();
    },
    remember<View>(key: string, inputs: readonly unknown[], build: () => View): View {
      const known = last.get(key);
      const isSame = known !== undefined && known.inputs.length === inputs.length &&
        known.inputs.every((input, index) => input === inputs[index]);
      const entry = isSame ? known : { inputs, view: build() };
      next.set(key, entry);
      // The key names one kind of view, so what was stored under it is of this type.
      return entry.view as View;
    },
  };
}

function toMap<Row, View>(
  rows: Iterable<Row>,
  key: (row: Row) => string,
  view: (row: Row) => View,
): Map<string, View> {
  const map = new Map<string, View>();
  for (const row of rows) map.set(key(row), view(row));
  return map;
}

function group<Row>(rows: Iterable<Row>, key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const id = key(row);
    const found = groups.get(id);
    if (found) found.push(row);
    else groups.set(id, [row]);
  }
  return groups;
}
