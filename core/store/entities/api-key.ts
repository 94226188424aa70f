import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { randomUUID } from "node:crypto";
import { none, tracked, trackedLink } from "./tracked.ts";

/** A key with which an application calls the data plane. Its value is not stored. */
export const ApiKey = defineEntity({
  name: "ApiKey",
  tableName: "api_keys",
  properties: {
    apiKeyId: p.uuid().primary().onCreate(() => randomUUID()),
    environmentId: p.uuid(),
    name: p.string(),
    description: p.text().strictNullable().onCreate(none),
    enabled: p.boolean().onCreate(() => true),
    expiresAt: p.datetime(3).strictNullable().onCreate(none),
    restrictToAssigned: p.boolean().onCreate(() => false),
    labels: p.json<string[]>().onCreate(() => []),
    enforceCapacity: p.boolean().onCreate(() => false),
    capacity: p.json<unknown[]>().onCreate(() => []),
    allowOverrides: p.boolean().onCreate(() => true),
    allowAdHoc: p.boolean().onCreate(() => true),
    maskedKey: p.string(),
    /** Lower-case hex SHA-256 of the whole value. */
    hash: p.string().hidden(),
    /** Hash of the value before the last roll, accepted until `previousValidUntil`. */
    previousHash: p.string().hidden().strictNullable().onCreate(none),
    previousValidUntil: p.datetime(3).strictNullable().onCreate(none),
    /** Observed: raises no version and no revision. */
    lastUsedAt: p.datetime(3).strictNullable().onCreate(none),
    ...tracked,
  },
});
export type ApiKey = InferEntity<typeof ApiKey>;

/** Which key is assigned to which resource. */
export const ApiKeyAssignment = defineEntity({
  name: "ApiKeyAssignment",
  tableName: "api_key_assignments",
  properties: {
    apiKeyId: p.uuid().primary(),
    resourceId: p.uuid().primary(),
    ...trackedLink,
  },
});
export type ApiKeyAssignment = InferEntity<typeof ApiKeyAssignment>;
