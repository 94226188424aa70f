import Type from "typebox";
import { closed, Timestamp, Uuid } from "./field.ts";
import { User } from "./user.ts";
import { WorkspaceRole } from "./workspace.ts";

/** How one can sign in. */
export const AuthOptions = Type.Object({
  local: Type.Boolean(),
  oidc: Type.Object({
    enabled: Type.Boolean(),
    label: Type.String(),
    state: Type.Optional(Type.Enum(["ok", "away"], {
      description: "Whether the identity provider answers; absent when there is none",
    })),
  }, closed),
}, { ...closed, title: "AuthOptions", description: "How one can sign in" });
/** See the schema of the same name. */
export type AuthOptions = Type.Static<typeof AuthOptions>;

const secretText = Type.String({ minLength: 1, maxLength: 1024, writeOnly: true });

/** Body of a login. */
export const Login = Type.Object({
  username: Type.String({ minLength: 1, maxLength: 254, description: "Username or email" }),
  password: secretText,
}, { ...closed, title: "Login", description: "Credentials of a local user" });
/** See the schema of the same name. */
export type Login = Type.Static<typeof Login>;

/** Answer to a login. The session itself is a cookie. */
export const LoginAnswer = Type.Object({
  user: User,
  csrfToken: Type.String({ description: "To be sent as `x-vmx-csrf` with every change" }),
  passwordChangeRequired: Type.Boolean(),
}, {
  ...closed,
  title: "LoginAnswer",
  description: "The signed-in user; the session itself is a cookie",
});
/** See the schema of the same name. */
export type LoginAnswer = Type.Static<typeof LoginAnswer>;

/** Body of a logout. */
export const Logout = Type.Object({
  all: Type.Optional(Type.Boolean({ description: "Ends every session of the user" })),
}, { ...closed, title: "Logout", description: "Which sessions to end" });
/** See the schema of the same name. */
export type Logout = Type.Static<typeof Logout>;

/** Who is signed in. */
export const SessionAnswer = Type.Object({
  user: User,
  csrfToken: Type.Union([Type.String(), Type.Null()], {
    description: "Null when the caller did not come with a session cookie",
  }),
  roles: Type.Array(Type.Object({ roleId: Uuid, name: Type.String() }, closed)),
  memberships: Type.Array(Type.Object({
    workspaceId: Uuid,
    workspaceName: Type.String(),
    role: WorkspaceRole,
  }, closed)),
  expiresAt: Type.Union([Timestamp, Type.Null()]),
}, { ...closed, title: "SessionAnswer", description: "Who is signed in" });
/** See the schema of the same name. */
export type SessionAnswer = Type.Static<typeof SessionAnswer>;

/** Body of a password change. */
export const PasswordChange = Type.Object({
  currentPassword: secretText,
  newPassword: secretText,
}, { ...closed, title: "PasswordChange", description: "A new password for oneself" });
/** See the schema of the same name. */
export type PasswordChange = Type.Static<typeof PasswordChange>;

/** What the caller may do, asked pair by pair. */
export const Permissions = Type.Object({
  data: Type.Array(Type.Object({
    action: Type.String(),
    resource: Type.String(),
    allowed: Type.Boolean(),
    decidedBy: Type.String({ description: "Role or rule that decided" }),
  }, closed)),
}, { ...closed, title: "Permissions", description: "What the caller may do" });
/** See the schema of the same name. */
export type Permissions = Type.Static<typeof Permissions>;
