import Type from "typebox";
import { closed, Line, nullable, patchOf, Timestamp, trackedFields, Uuid } from "./field.ts";

/** Whether a user may sign in. */
export const UserState = Type.Enum(["ACTIVE", "INACTIVE", "CHANGE_PASSWORD"]);

/** A name to sign in with. */
export const Username = Type.String({ pattern: "^[A-Za-z0-9._@+-]{1,64}$" });

/** An email address. */
export const Email = Type.String({ format: "email", maxLength: 254 });

/** A password being set; its rules are checked by the API and answered as faults. */
export const NewPassword = Type.String({
  minLength: 1,
  maxLength: 1024,
  writeOnly: true,
  description: "12 to 128 characters, not the username or email, not a common password",
});

const PictureUrl = Type.String({ format: "uri", maxLength: 2000, pattern: "^https?://" });

/** A person who manages the gateway. */
export const User = Type.Object({
  userId: Uuid,
  username: Type.String(),
  email: Type.String(),
  name: Type.String(),
  firstName: Type.String(),
  lastName: Type.String(),
  emailVerified: Type.Boolean(),
  pictureUrl: nullable(Type.String()),
  state: UserState,
  providerType: Type.Enum(["LOCAL", "OIDC"]),
  providerIssuer: nullable(Type.String()),
  providerSubject: nullable(Type.String()),
  lastLoginAt: nullable(Timestamp),
  roleIds: Type.Array(Uuid),
  ...trackedFields,
}, { ...closed, title: "User", description: "A person who manages the gateway" });
/** See the schema of the same name. */
export type User = Type.Static<typeof User>;

/** Body that creates a user. */
export const UserCreate = Type.Object({
  username: Username,
  email: Email,
  firstName: Line,
  lastName: Line,
  name: Type.Optional(Line),
  pictureUrl: Type.Optional(PictureUrl),
  password: Type.Optional(NewPassword),
  state: Type.Optional(UserState),
  roleIds: Type.Optional(Type.Array(Uuid, { maxItems: 50, uniqueItems: true })),
}, {
  ...closed,
  title: "UserCreate",
  description: "A new user; with a password the first login asks for another one",
});
/** See the schema of the same name. */
export type UserCreate = Type.Static<typeof UserCreate>;

/** Body that changes a user. */
export const UserPatch = patchOf(
  Type.Object({
    username: Username,
    email: Email,
    firstName: Line,
    lastName: Line,
    name: Type.Optional(Line),
    pictureUrl: Type.Optional(PictureUrl),
    password: NewPassword,
    state: UserState,
  }, closed),
  { title: "UserPatch", description: "Changes of a user" },
);
/** See the schema of the same name. */
export type UserPatch = Type.Static<typeof UserPatch>;

/** Body with which users change themselves. */
export const MePatch = patchOf(
  Type.Object({
    firstName: Line,
    lastName: Line,
    name: Type.Optional(Line),
    pictureUrl: Type.Optional(PictureUrl),
  }, closed),
  { title: "MePatch", description: "Changes of one's own user" },
);
/** See the schema of the same name. */
export type MePatch = Type.Static<typeof MePatch>;
