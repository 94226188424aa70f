import {
  AuthOptions,
  Login,
  LoginAnswer,
  Logout,
  PasswordChange,
  SessionAnswer,
} from "@vmx/schemas";
import { checkLogin, type LoginServices } from "../access/login.ts";
import { checkPassword } from "../access/password-rules.ts";
import { GatewayError } from "../contract/errors.ts";
import { databaseError } from "../store/database-error.ts";
import { PersonalAccessToken, User } from "../store/entities/index.ts";
import { cookieOf, recordLoginFailure } from "./auth-session.ts";
import { commit } from "./commit.ts";
import { timestamp } from "./present.ts";
import { defineRoute, type Route, type RouteContext } from "./route.ts";
import { presentUsers } from "./user-rows.ts";

const tag = "Authentication";

/** Operations of signing in and out. */
export const authRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/auth/options",
    operationId: "getAuthOptions",
    summary: "Tells how one can sign in",
    tag,
    access: "public",
    answer: AuthOptions,
    async handler({ services }) {
      const federated = await services.federation.state();
      const works = federated.enabled && federated.state === "ok";
      return {
        // Without another way in the form stays, so that the bootstrap administrator finds one.
        local: services.config.localLogin || !works,
        oidc: federated.enabled
          ? { enabled: true, label: federated.label, state: federated.state }
          : { enabled: false, label: "" },
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: "/api/v1/auth/login",
    operationId: "login",
    summary: "Signs in with username or email and password; the session is a cookie",
    tag,
    access: "public",
    body: Login,
    answer: LoginAnswer,
    status: 200,
    secrets: ["csrfToken"],
    replayable: false,
    problems: ["INVALID_CREDENTIALS", "USER_INACTIVE", "TOO_MANY_REQUESTS"],
    async handler(context) {
      const { body, services, sourceIp } = context;
      const { access, database } = services;
      const administrator = services.config.localLogin ? undefined : await access.administrator();
      const user = await checkLogin({ ...body, address: sourceIp }, {
        ...loginServices(context),
        mayLogIn: ({ userId }) => services.config.localLogin || userId === administrator?.userId,
      });
      await noteLogin(context, user, body.password);
      const { id, session } = await access.sessions.start(user.userId, {
        ip: sourceIp,
        userAgent: context.userAgent,
      });
      context.reply.cookie = cookieOf(context, id);
      return {
        user: (await presentUsers(database.em(), [user]))[0],
        csrfToken: session.csrfToken,
        passwordChangeRequired: user.state === "CHANGE_PASSWORD",
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: "/api/v1/auth/logout",
    operationId: "logout",
    summary:
      "Ends this session, or with `all` every session of the user; a `Location` ends the provider's session",
    tag,
    access: "self-limited",
    body: Logout,
    bodyOptional: true,
    replayable: false,
    async handler(context) {
      const { sessions } = context.services.access;
      const { user, session } = context.principal;
      if (context.body.all) await sessions.endAll(user.userId);
      else if (session) await sessions.end(session.sessionHash);
      if (!session) return;
      context.reply.cookie = cookieOf(context, "");
      const location = await endSessionUrl(context);
      if (location !== undefined) context.reply.headers = { ...context.reply.headers, location };
    },
  }),

  defineRoute({
    method: "GET",
    path: "/api/v1/auth/session",
    operationId: "getSession",
    summary: "Tells who is signed in, with roles and memberships",
    tag,
    access: "self-limited",
    answer: SessionAnswer,
    secrets: ["csrfToken"],
    async handler({ services, snapshot, principal }) {
      const em = services.database.em();
      const { userId, roleIds } = principal.user;
      const row = await em.findOne(User, { userId });
      if (!row) throw new GatewayError("SESSION_EXPIRED", "The user does not exist any more");
      return {
        user: (await presentUsers(em, [row]))[0],
        csrfToken: principal.session?.csrfToken ?? null,
        roles: roleIds.flatMap((roleId) => {
          const role = snapshot.roles.get(roleId);
          return role ? [{ roleId, name: role.name }] : [];
        }),
        memberships: [...snapshot.workspaces.values()].flatMap(({ workspaceId, name, members }) => {
          const role = members.get(userId);
          return role ? [{ workspaceId, workspaceName: name, role }] : [];
        }),
        expiresAt: timestamp(principal.session?.expiresAt ?? principal.token?.expiresAt),
      };
    },
  }),

  defineRoute({
    method: "POST",
    path: "/api/v1/auth/password",
    operationId: "changePassword",
    summary: "Changes one's own password; all other sessions and tokens end",
    tag,
    access: "self-limited",
    body: PasswordChange,
    replayable: false,
    problems: ["INVALID_CREDENTIALS", "PASSWORD_TOO_WEAK", "TOO_MANY_REQUESTS"],
    async handler(context) {
      const { body, principal, services, sourceIp } = context;
      const { access } = services;
      const { user, session, token } = principal;
      // The present password is checked as a login would be: same limit, same trail.
      const row = await checkLogin({
        username: user.username,
        password: body.currentPassword,
        address: sourceIp,
      }, loginServices(context));
      await checkPassword(body.newPassword, row, "/newPassword");
      if (body.newPassword === body.currentPassword) {
        throw new GatewayError(
          "PASSWORD_TOO_WEAK",
          "Cannot set the password: it is the present one",
          {
            faults: [{
              path: "/newPassword",
              code: "PASSWORD_TOO_WEAK",
              message: "must differ from the present one",
            }],
          },
        );
      }
      const passwordHash = await access.passwords.hash(body.newPassword);
      await commit(context, async ({ em, record }) => {
        const stored = await em.findOneOrFail(User, { userId: user.userId });
        stored.passwordHash = passwordHash;
        if (stored.state === "CHANGE_PASSWORD") stored.state = "ACTIVE";
        const tokens = await em.find(PersonalAccessToken, { userId: user.userId });
        for (const other of tokens) if (other.tokenId !== token?.tokenId) em.remove(other);
        record({
          action: "auth:password-changed",
          entity: { type: "user", id: user.userId, name: user.username },
        });
      });
      await access.sessions.endAll(user.userId);
      if (!session) return;
      const renewed = await access.sessions.start(user.userId, {
        ip: sourceIp,
        userAgent: context.userAgent,
        csrfToken: session.csrfToken,
      });
      context.reply.cookie = cookieOf(context, renewed.id);
    },
  }),
];

function loginServices(context: RouteContext): LoginServices {
  const { access, database, loader } = context.services;
  return {
    database,
    passwords: access.passwords,
    throttle: access.throttle,
    accountOf: (account) =>
      [...loader.current().users.values()].find(({ username, email }) =>
        username.toLowerCase() === account || email.toLowerCase() === account
      )?.userId,
    onFailure: (failure) => void recordLoginFailure(context, failure),
  };
}

async function noteLogin(context: RouteContext, user: User, password: string): Promise<void> {
  const { access, database, clock } = context.services;
  const lastLoginAt = new Date(clock.now());
  try {
    await database.em().nativeUpdate(User, { userId: user.userId }, { lastLoginAt });
  } catch (error) {
    throw databaseError(error);
  }
  user.lastLoginAt = lastLoginAt;
  if (user.passwordHash === null || !access.passwords.isOutdated(user.passwordHash)) return;
  const passwordHash = await access.passwords.hash(password);
  await commit(context, async ({ em }) => {
    (await em.findOneOrFail(User, { userId: user.userId })).passwordHash = passwordHash;
  });
}

/** Where a federated user's browser ends the provider's session. The own session ends whatever the provider says. */
async function endSessionUrl(context: RouteContext): Promise<string | undefined> {
  const { services, principal, origin } = context;
  const { federation, log, config } = services;
  try {
    const row = await services.database.em().findOne(User, { userId: principal.user.userId });
    if (row?.providerType !== "OIDC") return undefined;
    const provider = await federation.provider();
    return await provider.endSessionUrl?.({ returnTo: `${config.publicUrl ?? origin}/sign-in` });
  } catch (error) {
    log.warn("Cannot tell where the identity provider's session ends", { error });
    return undefined;
  }
}
