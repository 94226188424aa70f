import Type from "typebox";
import {
  closed,
  Description,
  Name,
  nullable,
  patchOf,
  Timestamp,
  trackedFields,
  UserSummary,
  Uuid,
} from "./field.ts";
import { Policy } from "./policy.ts";

/** A named policy that can be assigned to users. */
export const Role = Type.Object({
  roleId: Uuid,
  name: Type.String(),
  description: nullable(Type.String()),
  policy: Policy,
  builtIn: Type.Boolean(),
  membersCount: Type.Integer(),
  members: Type.Optional(Type.Array(UserSummary)),
  ...trackedFields,
}, { ...closed, title: "Role", description: "A named policy that can be assigned to users" });
/** See the schema of the same name. */
export type Role = Type.Static<typeof Role>;

const roleFields = {
  name: Name,
  description: Type.Optional(nullable(Description)),
  policy: Policy,
};

/** Body that creates a role. */
export const RoleCreate = Type.Object(roleFields, {
  ...closed,
  title: "RoleCreate",
  description: "A new role; nobody grants what they do not hold",
});
/** See the schema of the same name. */
export type RoleCreate = Type.Static<typeof RoleCreate>;

/** Body that changes a role. */
export const RolePatch = patchOf(RoleCreate, {
  title: "RolePatch",
  description: "Changes of a role; a policy that is sent replaces the present one",
});
/** See the schema of the same name. */
export type RolePatch = Type.Static<typeof RolePatch>;

/** Users a role is given to or taken from. */
export const RoleUsers = Type.Object({
  userIds: Type.Array(Uuid, { minItems: 1, maxItems: 1000, uniqueItems: true }),
}, {
  ...closed,
  title: "RoleUsers",
  description: "Users a role is given to or taken from; repetition does no harm",
});
/** See the schema of the same name. */
export type RoleUsers = Type.Static<typeof RoleUsers>;

/** Who holds a role, since when and by whom. */
export const RoleAssignment = Type.Object({
  roleId: Uuid,
  userId: Uuid,
  name: Type.String(),
  email: Type.String(),
  assignedAt: Timestamp,
  assignedBy: nullable(Uuid),
}, { ...closed, title: "RoleAssignment", description: "Who holds a role, since when and by whom" });
/** See the schema of the same name. */
export type RoleAssignment = Type.Static<typeof RoleAssignment>;

/** A question to the policy simulator: what a user, or a policy that is not stored, may do. */
export const Simulation = Type.Object({
  userId: Type.Optional(Uuid),
  policy: Type.Optional(Policy),
  action: Type.String({
    minLength: 1,
    maxLength: 128,
    description: "Such as `ai-connection:update`",
  }),
  resource: Type.String({
    minLength: 1,
    maxLength: 1024,
    description: "Such as `workspace:default:environment:default:ai-connection:main`",
  }),
}, {
  ...closed,
  title: "Simulation",
  description: "A question to the policy simulator; either `userId` or `policy` is given",
});
/** See the schema of the same name. */
export type Simulation = Type.Static<typeof Simulation>;

/** The simulator's answer. */
export const SimulationAnswer = Type.Object({
  allowed: Type.Boolean(),
  statements: Type.Array(Type.Object({
    source: Type.String({
      description:
        "Name of the role, `policy`, or `owner` or `member` for what a membership grants",
    }),
    index: Type.Integer({ minimum: 0, description: "Place of the statement in its policy" }),
    matched: Type.Boolean(),
    effect: Type.Enum(["allow", "deny"]),
  }, closed)),
}, {
  ...closed,
  title: "SimulationAnswer",
  description: "The decision, with every statement that was looked at",
});
/** See the schema of the same name. */
export type SimulationAnswer = Type.Static<typeof SimulationAnswer>;

/** The modules, actions and resources policies can speak of. */
export const PermissionCatalog = Type.Object({
  modules: Type.Array(Type.Object({
    name: Type.String(),
    actions: Type.Array(Type.String()),
    baseResource: Type.String(),
    itemResource: Type.String(),
  }, closed)),
}, {
  ...closed,
  title: "PermissionCatalog",
  description: "The modules, actions and resources policies can speak of",
});
