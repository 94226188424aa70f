import Type from "typebox";
import { CapacityList } from "./capacity.ts";
import {
  closed,
  Description,
  Name,
  nullable,
  patchOf,
  Timestamp,
  trackedFields,
  Uuid,
} from "./field.ts";

const fields = {
  apiKeyId: Uuid,
  workspaceId: Uuid,
  environmentId: Uuid,
  name: Type.String(),
  description: nullable(Type.String()),
  enabled: Type.Boolean(),
  expiresAt: nullable(Timestamp),
  resources: Type.Array(Uuid),
  restrictToAssigned: Type.Boolean(),
  labels: Type.Array(Type.String()),
  enforceCapacity: Type.Boolean(),
  capacity: CapacityList,
  allowOverrides: Type.Boolean(),
  allowAdHoc: Type.Boolean(),
  maskedKey: Type.String(),
  lastUsedAt: nullable(Timestamp),
  ...trackedFields,
};

/** A key with which an application calls the data plane, without its value. */
export const ApiKey = Type.Object(fields, {
  ...closed,
  title: "ApiKey",
  description: "A key with which an application calls the data plane, without its value",
});
/** See the schema of the same name. */
export type ApiKey = Type.Static<typeof ApiKey>;

/** An API key with its value, which is shown once. */
export const ApiKeyCreated = Type.Object({
  ...fields,
  value: Type.String({ description: "The key; it cannot be read again" }),
}, {
  ...closed,
  title: "ApiKeyCreated",
  description: "An API key with its value, which is shown once",
});
/** See the schema of the same name. */
export type ApiKeyCreated = Type.Static<typeof ApiKeyCreated>;

/** Body that creates an API key. */
export const ApiKeyCreate = Type.Object({
  name: Name,
  description: Type.Optional(nullable(Description)),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  expiresAt: Type.Optional(nullable(Timestamp)),
  resources: Type.Optional(Type.Array(Uuid, {
    maxItems: 1000,
    uniqueItems: true,
    description: "Resources the key is assigned to; replaces the set",
  })),
  restrictToAssigned: Type.Optional(Type.Boolean({
    default: false,
    description: "True: the key may call only the resources it is assigned to",
  })),
  labels: Type.Optional(Type.Array(
    Type.String({ minLength: 1, maxLength: 64, pattern: "^[^\\p{Cc}]+$" }),
    { maxItems: 20, uniqueItems: true },
  )),
  enforceCapacity: Type.Optional(Type.Boolean({ default: false })),
  capacity: Type.Optional(CapacityList),
  allowOverrides: Type.Optional(Type.Boolean({ default: true })),
  allowAdHoc: Type.Optional(Type.Boolean({ default: true })),
}, { ...closed, title: "ApiKeyCreate", description: "A new API key" });
/** See the schema of the same name. */
export type ApiKeyCreate = Type.Static<typeof ApiKeyCreate>;

/** Body that changes an API key. */
export const ApiKeyPatch = patchOf(ApiKeyCreate, {
  title: "ApiKeyPatch",
  description: "Changes of an API key",
});
/** See the schema of the same name. */
export type ApiKeyPatch = Type.Static<typeof ApiKeyPatch>;

/** Body that gives an API key a new value. */
export const ApiKeyRoll = Type.Object({
  graceSeconds: Type.Optional(Type.Enum([0, 3600, 86_400, 604_800], {
    default: 0,
    description: "Seconds for which the old value stays valid",
  })),
}, { ...closed, title: "ApiKeyRoll", description: "A new value for an API key" });
/** See the schema of the same name. */
export type ApiKeyRoll = Type.Static<typeof ApiKeyRoll>;
