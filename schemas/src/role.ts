import Type from "typebox";
import { closed, nullable, trackedFields, UserSummary, Uuid } from "./field.ts";
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
