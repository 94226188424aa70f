import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { randomUUID } from "node:crypto";
import type { PolicyView } from "../snapshot.ts";
import { none, tracked, trackedLink } from "./tracked.ts";

/** A person who manages the gateway. */
export const User = defineEntity({
  name: "User",
  tableName: "users",
  properties: {
    userId: p.uuid().primary().onCreate(() => randomUUID()),
    username: p.string(),
    email: p.string(),
    name: p.string(),
    firstName: p.string(),
    lastName: p.string(),
    emailVerified: p.boolean().onCreate(() => false),
    pictureUrl: p.text().strictNullable().onCreate(none),
    state: p.string().$type<"ACTIVE" | "INACTIVE" | "CHANGE_PASSWORD">().onCreate(() => "ACTIVE"),
    providerType: p.string().$type<"LOCAL" | "OIDC">().onCreate(() => "LOCAL"),
    providerIssuer: p.text().strictNullable().onCreate(none),
    providerSubject: p.text().strictNullable().onCreate(none),
    /** argon2id in PHC form, or null when the user has no local password. */
    passwordHash: p.text().hidden().strictNullable().onCreate(none),
    /** Observed: raises no version and no revision. */
    lastLoginAt: p.datetime(3).strictNullable().onCreate(none),
    ...tracked,
  },
});
export type User = InferEntity<typeof User>;

/** A named policy that can be assigned to users. */
export const Role = defineEntity({
  name: "Role",
  tableName: "roles",
  properties: {
    roleId: p.uuid().primary().onCreate(() => randomUUID()),
    name: p.string(),
    description: p.text().strictNullable().onCreate(none),
    policy: p.json<PolicyView>(),
    builtIn: p.boolean().onCreate(() => false),
    ...tracked,
  },
});
export type Role = InferEntity<typeof Role>;

/** Which user has which role. */
export const RoleAssignment = defineEntity({
  name: "RoleAssignment",
  tableName: "role_assignments",
  properties: {
    userId: p.uuid().primary(),
    roleId: p.uuid().primary(),
    assignedAt: p.datetime(3).onCreate(() => new Date()),
    assignedBy: p.uuid().strictNullable().onCreate(none),
    ...trackedLink,
  },
});
export type RoleAssignment = InferEntity<typeof RoleAssignment>;

/** A console login. Not configuration: it is written outside `change()` and is not in the snapshot. */
export const Session = defineEntity({
  name: "Session",
  tableName: "sessions",
  properties: {
    /** Lower-case hex SHA-256 of the cookie's value. */
    sessionHash: p.string().primary(),
    userId: p.uuid(),
    csrfToken: p.string().hidden(),
    createdAt: p.datetime(3).onCreate(() => new Date()),
    lastSeenAt: p.datetime(3).onCreate(() => new Date()),
    expiresAt: p.datetime(3),
    ip: p.string().strictNullable().onCreate(none),
    userAgent: p.text().strictNullable().onCreate(none),
  },
});
export type Session = InferEntity<typeof Session>;

/** A bearer token with which a user's programs manage the gateway. */
export const PersonalAccessToken = defineEntity({
  name: "PersonalAccessToken",
  tableName: "personal_access_tokens",
  properties: {
    tokenId: p.uuid().primary().onCreate(() => randomUUID()),
    userId: p.uuid(),
    name: p.string(),
    /** Lower-case hex SHA-256 of the whole token. */
    hash: p.string().hidden(),
    prefix: p.string(),
    maskedToken: p.string(),
    expiresAt: p.datetime(3).strictNullable().onCreate(none),
    /** Null means everything the user may do. */
    policy: p.json<PolicyView>().strictNullable().onCreate(none),
    /** Observed: raises no version and no revision. */
    lastUsedAt: p.datetime(3).strictNullable().onCreate(none),
    ...tracked,
  },
});
export type PersonalAccessToken = InferEntity<typeof PersonalAccessToken>;
