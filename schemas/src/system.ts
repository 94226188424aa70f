import Type from "typebox";
import { closed, Timestamp } from "./field.ts";

/** The gateway as a whole. */
export const System = Type.Object({
  version: Type.String(),
  revision: Type.Integer({ description: "Configuration revision this process serves" }),
  uptimeSeconds: Type.Number(),
  runtime: Type.String({ description: "Such as `node 24.1.0`" }),
  status: Type.Enum(["ready", "degraded", "not_ready"]),
  replicas: Type.Integer({ minimum: 1, description: "Processes that serve now" }),
  dependencies: Type.Array(Type.Object({
    name: Type.String({ description: "`database`, `capacity_store`, `credentials` or a plugin" }),
    state: Type.Enum(["ok", "away"]),
    latencyMs: Type.Optional(Type.Number()),
    since: Timestamp,
    error: Type.Optional(Type.String()),
  }, closed)),
  degraded: Type.Array(
    Type.Enum([
      "database_away",
      "capacity_degraded",
      "credentials_unavailable",
      "disk_full",
      "spool_full",
    ]),
    { description: "What does not work as it should" },
  ),
  spool: Type.Object({
    bytes: Type.Integer({ minimum: 0 }),
    oldestAgeSeconds: Type.Number({ minimum: 0 }),
    writable: Type.Boolean(),
    pressure: Type.Enum(["none", "high", "full"]),
    lost: Type.Integer({ minimum: 0, description: "Records lost since the start" }),
  }, { ...closed, description: "Records that are not in the database yet" }),
  oidc: Type.Object({
    enabled: Type.Boolean(),
    label: Type.Optional(Type.String()),
    state: Type.Optional(Type.Enum(["ok", "away"])),
    since: Type.Optional(Timestamp),
    error: Type.Optional(Type.String({ description: "Why the identity provider is away" })),
  }, { ...closed, description: "Federated login" }),
}, { ...closed, title: "System", description: "The gateway as a whole" });
/** See the schema of the same name. */
export type System = Type.Static<typeof System>;

/** Body that starts re-encryption. */
export const ReEncrypt = Type.Object({
  toKeyVersion: Type.Integer({
    minimum: 1,
    maximum: 999_999_999,
    description: "The newest key version of the backend that seals",
  }),
}, { ...closed, title: "ReEncrypt", description: "The key to seal all secrets with" });
/** See the schema of the same name. */
export type ReEncrypt = Type.Static<typeof ReEncrypt>;

/** Keys of stored secrets, and how far re-encryption is. */
export const ReEncryption = Type.Object({
  state: Type.Enum(["idle", "running", "failed"]),
  backend: Type.String({ description: "The backend that seals" }),
  keyVersion: Type.Integer({ description: "Its newest key version, which seals" }),
  keyVersions: Type.Array(Type.Integer(), { description: "Key versions it can open" }),
  total: Type.Integer({ description: "Stored secrets" }),
  done: Type.Integer({ description: "Those sealed with the newest key" }),
  keys: Type.Array(
    Type.Object({
      backend: Type.String(),
      keyVersion: Type.Integer(),
      values: Type.Integer({ description: "Secrets sealed with it" }),
    }, closed),
    { description: "Keys that are needed; every other may be withdrawn" },
  ),
  errors: Type.Array(Type.String(), {
    description: "Secrets that could not be opened, or why the last run stopped",
  }),
}, {
  ...closed,
  title: "ReEncryption",
  description: "Keys of stored secrets, and how far re-encryption is",
});
/** See the schema of the same name. */
export type ReEncryption = Type.Static<typeof ReEncryption>;
