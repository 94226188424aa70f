import Type from "typebox";
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
import { Environment } from "./environment.ts";

/** Role of a member in a workspace. */
export const WorkspaceRole = Type.Enum(["OWNER", "MEMBER"]);

/** The top isolation level. */
export const Workspace = Type.Object({
  workspaceId: Uuid,
  name: Type.String(),
  description: nullable(Type.String()),
  environments: Type.Optional(Type.Array(Environment)),
  ...trackedFields,
}, {
  ...closed,
  title: "Workspace",
  description: "The top isolation level: members and environments",
});
/** See the schema of the same name. */
export type Workspace = Type.Static<typeof Workspace>;

/** Body that creates a workspace. */
export const WorkspaceCreate = Type.Object({
  name: Name,
  description: Type.Optional(nullable(Description)),
}, {
  ...closed,
  title: "WorkspaceCreate",
  description: "A new workspace; its creator becomes its owner",
});
/** See the schema of the same name. */
export type WorkspaceCreate = Type.Static<typeof WorkspaceCreate>;

/** Body that changes a workspace. */
export const WorkspacePatch = patchOf(WorkspaceCreate, {
  title: "WorkspacePatch",
  description: "Changes of a workspace",
});
/** See the schema of the same name. */
export type WorkspacePatch = Type.Static<typeof WorkspacePatch>;

/** A member of a workspace. */
export const WorkspaceMember = Type.Object({
  workspaceId: Uuid,
  userId: Uuid,
  name: Type.String(),
  email: Type.String(),
  role: WorkspaceRole,
  addedAt: Timestamp,
  addedBy: nullable(Uuid),
}, { ...closed, title: "WorkspaceMember", description: "A member of a workspace" });
/** See the schema of the same name. */
export type WorkspaceMember = Type.Static<typeof WorkspaceMember>;

/** Users who become members of a workspace. */
export const WorkspaceMembersAdd = Type.Object({
  userIds: Type.Array(Uuid, { minItems: 1, maxItems: 1000, uniqueItems: true }),
  role: WorkspaceRole,
}, {
  ...closed,
  title: "WorkspaceMembersAdd",
  description: "Users who become members of a workspace; who is a member already keeps the role",
});
/** See the schema of the same name. */
export type WorkspaceMembersAdd = Type.Static<typeof WorkspaceMembersAdd>;

/** Body that changes a membership. */
export const WorkspaceMemberPatch = Type.Object({ role: WorkspaceRole }, {
  ...closed,
  title: "WorkspaceMemberPatch",
  description: "Changes of a membership",
});
/** See the schema of the same name. */
export type WorkspaceMemberPatch = Type.Static<typeof WorkspaceMemberPatch>;
