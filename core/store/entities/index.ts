import { ActivityEntry } from "./activity-entry.ts";
import { AiConnection } from "./ai-connection.ts";
import { AiResource } from "./ai-resource.ts";
import { ApiKey, ApiKeyAssignment } from "./api-key.ts";
import { CapacityCopy } from "./capacity-copy.ts";
import { IdempotencyKey } from "./idempotency-key.ts";
import { PersonalAccessToken, Role, RoleAssignment, Session, User } from "./identity.ts";
import { KeyFingerprint } from "./key-fingerprint.ts";
import { PluginSetting } from "./plugin-setting.ts";
import { PoolDefinition } from "./pool-definition.ts";
import { Revision, Tombstone } from "./revision.ts";
import { Environment, Workspace, WorkspaceMember } from "./workspace.ts";

export { ActivityEntry, type ActivityOrigin } from "./activity-entry.ts";
export { AiConnection, type StoredConnectionTest } from "./ai-connection.ts";
export { AiResource } from "./ai-resource.ts";
export { ApiKey, ApiKeyAssignment } from "./api-key.ts";
export { CapacityCopy } from "./capacity-copy.ts";
export { IdempotencyKey } from "./idempotency-key.ts";
export { PersonalAccessToken, Role, RoleAssignment, Session, User } from "./identity.ts";
export { KeyFingerprint } from "./key-fingerprint.ts";
export { PluginSetting } from "./plugin-setting.ts";
export { PoolDefinition, type StoredPool } from "./pool-definition.ts";
export { Revision, Tombstone } from "./revision.ts";
export { Environment, Workspace, WorkspaceMember } from "./workspace.ts";

/** Configuration: changed only inside `change()`, seen by the snapshot loader. */
export const configurationEntities = [
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
] as const;

/** Every table of the store. */
export const entities = [
  ...configurationEntities,
  Session,
  ActivityEntry,
  IdempotencyKey,
  CapacityCopy,
  Revision,
  Tombstone,
  KeyFingerprint,
];

/** Fields that are written without raising `version` or the revision. */
export const observedFields: ReadonlySet<string> = new Set([
  "lastLoginAt",
  "lastUsedAt",
  "lastTest",
  "discoveredCapacity",
]);
