import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { randomUUID } from "node:crypto";
import { none, tracked, trackedLink } from "./tracked.ts";

/** The top isolation level. */
export const Workspace = defineEntity({
  name: "Workspace",
  tableName: "workspaces",
  properties: {
    workspaceId: p.uuid().primary().onCreate(() => randomUUID()),
    name: p.string(),
    description: p.text().strictNullable().onCreate(none),
    ...tracked,
  },
});
export type Workspace = InferEntity<typeof Workspace>;

/** Which user belongs to which workspace. */
export const WorkspaceMember = defineEntity({
  name: "WorkspaceMember",
  tableName: "workspace_members",
  properties: {
    workspaceId: p.uuid().primary(),
    userId: p.uuid().primary(),
    role: p.string().$type<"OWNER" | "MEMBER">(),
    addedAt: p.datetime(3).onCreate(() => new Date()),
    addedBy: p.uuid().strictNullable().onCreate(none),
    ...trackedLink,
  },
});
export type WorkspaceMember = InferEntity<typeof WorkspaceMember>;

/** The isolation level inside a workspace. */
export const Environment = defineEntity({
  name: "Environment",
  tableName: "environments",
  properties: {
    environmentId: p.uuid().primary().onCreate(() => randomUUID()),
    workspaceId: p.uuid(),
    name: p.string(),
    description: p.text().strictNullable().onCreate(none),
    /** Only what differs from the defaults. */
    settings: p.json<Record<string, unknown>>().onCreate(() => ({})),
    ...tracked,
  },
});
export type Environment = InferEntity<typeof Environment>;
