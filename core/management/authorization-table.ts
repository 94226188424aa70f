/*
 * Who may call what: the reviewed table behind the authorisation matrix. It is written by hand and compared with what
 * the gateway does, so copy nothing from the routes: take action and resource from the specification.
 *
 * A new operation needs one line in `operations`. A new action needs one in `actions`, a new kind of path parameter
 * one in `parameters`, and an operation whose body names other objects by id one in `idBodies`.
 */

/** People of the matrix who belong to workspace W, or to none; see `createMatrixWorld` for what each holds. */
export type Person = "reader" | "power" | "member" | "owner" | "admin" | "almost" | "foreign";

/** What `almost`, who may do everything else, is denied. */
export const deniedToAlmost = "api-key:update";

/** `action @ resource` of each operation; `public`, `self`, or `self even before the password is changed`. */
export const operations: Readonly<Record<string, string>> = {
  getOpenApi: "public",
  getAuthOptions: "public",
  login: "public",
  startFederatedLogin: "public",
  completeFederatedLogin: "public",
  logout: "self even before the password is changed",
  getSession: "self even before the password is changed",
  changePassword: "self even before the password is changed",
  getMe: "self",
  updateMe: "self",
  listMyTokens: "self",
  createMyToken: "self",
  deleteMyToken: "self",
  listMyPermissions: "self",
  listUsers: "user:list @ user",
  createUser: "user:create @ user",
  getUser: "user:get @ user:{item}",
  updateUser: "user:update @ user:{item}",
  deleteUser: "user:delete @ user:{item}",
  simulatePolicy: "role:get @ role",
  listRoles: "role:list @ role",
  createRole: "role:create @ role",
  listPermissions: "self",
  getRole: "role:get @ role:{item}",
  updateRole: "role:update @ role:{item}",
  deleteRole: "role:delete @ role:{item}",
  listRoleMembers: "role:get-members @ role:{item}",
  assignRole: "role:assign @ role:{item}",
  unassignRole: "role:unassign @ role:{item}",
  listWorkspaces: "workspace:list @ workspace",
  createWorkspace: "workspace:create @ workspace",
  getWorkspace: "workspace:get @ workspace:{w}",
  updateWorkspace: "workspace:update @ workspace:{w}",
  deleteWorkspace: "workspace:delete @ workspace:{w}",
  listWorkspaceMembers: "workspace:get-members @ workspace:{w}",
  addWorkspaceMembers: "workspace:assign @ workspace:{w}",
  updateWorkspaceMember: "workspace:update-member-role @ workspace:{w}",
  removeWorkspaceMember: "workspace:unassign @ workspace:{w}",
  listEnvironments: "environment:list @ workspace:{w}:environment",
  createEnvironment: "environment:create @ workspace:{w}:environment",
  getEnvironment: "environment:get @ workspace:{w}:environment:{item}",
  updateEnvironment: "environment:update @ workspace:{w}:environment:{item}",
  deleteEnvironment: "environment:delete @ workspace:{w}:environment:{item}",
  listAiConnectionReferences: "ai-connection:get @ {b}:ai-connection:{item}",
  testAiConnectionConfig: "ai-connection:create @ {b}:ai-connection",
  testAiConnection: "ai-connection:update @ {b}:ai-connection:{item}",
  listAiConnectionModels: "ai-connection:get @ {b}:ai-connection:{item}",
  listAiConnections: "ai-connection:list @ {b}:ai-connection",
  createAiConnection: "ai-connection:create @ {b}:ai-connection",
  getAiConnection: "ai-connection:get @ {b}:ai-connection:{item}",
  updateAiConnection: "ai-connection:update @ {b}:ai-connection:{item}",
  deleteAiConnection: "ai-connection:delete @ {b}:ai-connection:{item}",
  testAiResourceRoute: "ai-resource:get @ {b}:ai-resource:{item}",
  getAiResourceErrorRate: "ai-resource:get @ {b}:ai-resource:{item}",
  listAiResources: "ai-resource:list @ {b}:ai-resource",
  createAiResource: "ai-resource:create @ {b}:ai-resource",
  getAiResource: "ai-resource:get @ {b}:ai-resource:{item}",
  updateAiResource: "ai-resource:update @ {b}:ai-resource:{item}",
  deleteAiResource: "ai-resource:delete @ {b}:ai-resource:{item}",
  listApiKeys: "api-key:list @ {b}:api-key",
  createApiKey: "api-key:create @ {b}:api-key",
  getApiKey: "api-key:get @ {b}:api-key:{item}",
  updateApiKey: "api-key:update @ {b}:api-key:{item}",
  deleteApiKey: "api-key:delete @ {b}:api-key:{item}",
  rollApiKey: "api-key:update @ {b}:api-key:{item}",
  getPoolDefinition: "pool-definition:get @ {b}:pool-definition",
  updatePoolDefinition: "pool-definition:update @ {b}:pool-definition",
  deletePoolDefinition: "pool-definition:delete @ {b}:pool-definition",
  getAllocation: "capacity:get @ {b}:capacity",
  getCapacity: "capacity:get @ {b}:capacity",
  resetCapacity: "capacity:reset @ {b}:capacity",
  queryUsage: "usage:get @ {b}:usage",
  exportUsage: "usage:get @ {b}:usage",
  listPriceLists: "price-list:list @ price-list",
  createPriceList: "price-list:create @ price-list",
  getPriceList: "price-list:get @ price-list",
  previewPriceList: "price-list:create @ price-list",
  rerateUsage: "price-list:re-rate @ price-list",
  listActivity: "activity:list @ activity",
  listEnvironmentActivity: "activity:list @ {b}:activity",
  listAudit: "audit:list @ {b}:audit",
  streamAudit: "audit:list @ {b}:audit",
  exportAudit: "audit:export @ {b}:audit",
  listAuditMetadataKeys: "audit:list @ {b}:audit",
  listAuditMetadataValues: "audit:list @ {b}:audit",
  getAudit: "audit:get @ {b}:audit",
  listAiProviders: "self",
  listPlugins: "plugin:list @ plugin",
  getPlugin: "plugin:get @ plugin:{item}",
  updatePlugin: "plugin:update @ plugin:{item}",
  getSystem: "system:get @ system",
  getReEncryption: "system:re-encrypt @ system",
  startReEncryption: "system:re-encrypt @ system",
};

const everybody: readonly Person[] = [
  "reader",
  "power",
  "member",
  "owner",
  "admin",
  "almost",
  "foreign",
];
const roles: readonly Person[] = ["power", "admin", "almost"];
const inWorkspace: readonly Person[] = [...roles, "member", "owner"];
const read = ["reader"] as const;

/**
 * Who may do an action, on objects that somebody else made. `foreign` owns another workspace: inside W it sees
 * nothing, whatever stands here.
 */
export const actions: Readonly<Record<string, readonly Person[]>> = {
  "workspace:list": everybody,
  "workspace:create": roles,
  "workspace:get": [...inWorkspace, ...read],
  "workspace:get-members": inWorkspace,
  "workspace:update": [...roles, "owner"],
  "workspace:delete": ["owner", "admin", "almost"],
  "workspace:assign": ["owner", "admin", "almost"],
  "workspace:unassign": ["owner", "admin", "almost"],
  "workspace:update-member-role": ["owner", "admin", "almost"],
  "environment:list": [...inWorkspace, ...read],
  "environment:get": [...inWorkspace, ...read],
  "environment:create": inWorkspace,
  "environment:update": inWorkspace,
  "environment:delete": [...roles, "owner"],
  "ai-connection:list": [...inWorkspace, ...read],
  "ai-connection:get": [...inWorkspace, ...read],
  "ai-connection:create": inWorkspace,
  "ai-connection:update": inWorkspace,
  "ai-connection:delete": [...roles, "owner"],
  "ai-resource:list": [...inWorkspace, ...read],
  "ai-resource:get": [...inWorkspace, ...read],
  "ai-resource:create": inWorkspace,
  "ai-resource:update": inWorkspace,
  "ai-resource:delete": [...roles, "owner"],
  "api-key:list": [...inWorkspace, ...read],
  "api-key:get": [...inWorkspace, ...read],
  "api-key:create": inWorkspace,
  "api-key:update": ["power", "member", "owner", "admin"],
  "api-key:delete": [...roles, "owner"],
  "pool-definition:get": [...inWorkspace, ...read],
  "pool-definition:update": inWorkspace,
  "pool-definition:delete": [...roles, "owner"],
  "capacity:get": [...inWorkspace, ...read],
  "capacity:reset": [...roles, "owner"],
  "completion-batch:list": [...inWorkspace, ...read],
  "completion-batch:get": [...inWorkspace, ...read],
  "completion-batch:create": inWorkspace,
  "completion-batch:cancel": inWorkspace,
  "audit:list": [...inWorkspace, ...read],
  "audit:get": [...inWorkspace, ...read],
  "audit:read-payload": inWorkspace,
  "audit:export": inWorkspace,
  "usage:get": [...inWorkspace, ...read],
  "config:get": [...inWorkspace, ...read],
  "config:apply": [...roles, "owner"],
  "activity:list": [...inWorkspace, ...read],
  "activity:list @ activity": [...roles, ...read],
  "user:list": [...roles, ...read],
  "user:get": [...roles, ...read],
  "user:create": ["admin", "almost"],
  "user:update": ["admin", "almost"],
  "user:delete": ["admin", "almost"],
  "role:list": [...roles, ...read],
  "role:get": [...roles, ...read],
  "role:get-members": roles,
  "role:create": ["admin", "almost"],
  "role:update": ["admin", "almost"],
  "role:delete": ["admin", "almost"],
  "role:assign": ["admin", "almost"],
  "role:unassign": ["admin", "almost"],
  "price-list:list": [...roles, ...read],
  "price-list:get": [...roles, ...read],
  "price-list:create": ["admin", "almost"],
  "price-list:re-rate": ["admin", "almost"],
  "plugin:list": [...roles, ...read],
  "plugin:get": [...roles, ...read],
  "plugin:update": ["admin", "almost"],
  "system:get": ["admin", "almost", ...read],
  "system:re-encrypt": ["admin", "almost"],
};

/** What an id of each path parameter that is nobody's is answered with. */
export const parameters: Readonly<Record<string, string>> = {
  workspaceId: "WORKSPACE_NOT_FOUND",
  environmentId: "ENVIRONMENT_NOT_FOUND",
  connectionId: "AI_CONNECTION_NOT_FOUND",
  resourceId: "AI_RESOURCE_NOT_FOUND",
  apiKeyId: "API_KEY_NOT_FOUND",
  userId: "USER_NOT_FOUND",
  roleId: "ROLE_NOT_FOUND",
  tokenId: "TOKEN_NOT_FOUND",
  pluginId: "PLUGIN_NOT_FOUND",
  batchId: "COMPLETION_BATCH_NOT_FOUND",
  itemId: "COMPLETION_BATCH_ITEM_NOT_FOUND",
  requestId: "AUDIT_ROW_NOT_FOUND",
  priceListId: "PRICE_LIST_NOT_FOUND",
};

/** Ids of one environment's objects, for `idBodies`. */
export interface BodyIds {
  readonly connectionId: string;
  readonly resourceId: string;
  readonly apiKeyId: string;
}

/**
 * Bodies that name objects of an environment by id. Each is sent twice, with ids of another workspace and with ids
 * that do not exist: both are refused, with the same answer.
 */
export const idBodies: Readonly<Record<string, readonly ((ids: BodyIds) => unknown)[]>> = {
  createAiResource: [
    ({ connectionId }) => ({ name: "borrowed", model: { model: "echo", connectionId } }),
    ({ connectionId }) => ({
      name: "borrowed",
      model: { model: "echo", connectionName: "echo" },
      fallbackModels: [{ model: "echo", connectionId }],
    }),
    ({ apiKeyId }) => ({
      name: "borrowed",
      model: { model: "echo", connectionName: "echo" },
      assignApiKeys: [apiKeyId],
    }),
  ],
  updateAiResource: [
    ({ connectionId }) => ({ model: { model: "echo", connectionId } }),
    ({ connectionId }) => ({ secondaryModels: [{ model: "echo", connectionId }] }),
    ({ apiKeyId }) => ({ assignApiKeys: [apiKeyId] }),
  ],
  createApiKey: [({ resourceId }) => ({ name: "borrowed", resources: [resourceId] })],
  updateApiKey: [({ resourceId }) => ({ resources: [resourceId] })],
  testAiResourceRoute: [
    ({ connectionId }) => ({
      resource: { model: { model: "echo", connectionId } },
      sample: { messages: [{ role: "user", content: "hello" }] },
    }),
  ],
  updatePoolDefinition: [
    ({ resourceId }) => ({
      definition: [{
        name: "borrowed",
        rank: 0,
        resources: [resourceId],
        minReservation: 0,
        maxReservation: 100,
      }],
    }),
  ],
  resetCapacity: [
    ({ connectionId }) => ({ level: "connection", subjectId: connectionId, period: "minute" }),
    ({ resourceId }) => ({ level: "resource", subjectId: resourceId, period: "minute" }),
    ({ apiKeyId }) => ({ level: "api-key", subjectId: apiKeyId, period: "minute" }),
  ],
};

/**
 * Ids in queries: each is sent twice, with an id of another workspace and with one that does not exist, and both are
 * answered alike. Where an id may be anything, it is the one that has left most traces.
 */
export const idQueries: Readonly<Record<string, (ids: BodyIds) => string>> = {
  connectionId: ({ connectionId }) => connectionId,
  resourceId: ({ resourceId }) => resourceId,
  apiKeyId: ({ apiKeyId }) => apiKeyId,
  subjectId: ({ connectionId }) => connectionId,
  entityId: ({ connectionId }) => connectionId,
  // Of people and requests there is none that belongs to one workspace alone.
  actor: ({ apiKeyId }) => apiKeyId,
  userId: ({ apiKeyId }) => apiKeyId,
  requestId: ({ apiKeyId }) => apiKeyId,
  batchId: ({ apiKeyId }) => apiKeyId,
  correlationId: ({ connectionId }) => connectionId,
};

/** Operations whose answers never end; they read with the filter of another one. */
export const unreadQueries: ReadonlySet<string> = new Set(["streamAudit"]);

/**
 * Operations whose bodies hold no ids of a workspace's objects: people and roles are the installation's, and who may
 * re-rate may do so everywhere.
 */
export const personIdBodies: ReadonlySet<string> = new Set([
  "createUser",
  "assignRole",
  "unassignRole",
  "simulatePolicy",
  "addWorkspaceMembers",
  "rerateUsage",
]);
