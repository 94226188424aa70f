import {
  authenticate,
  type AuthenticationServices,
  type CredentialRequest,
} from "../access/authenticate.ts";
import { createLoginThrottle, type LoginThrottle } from "../access/login-throttle.ts";
import { createPasswords, type Passwords } from "../access/password.ts";
import { createSharedLoginThrottle } from "../access/shared-login-throttle.ts";
import type { Principal } from "../access/principal.ts";
import { createSessions, type Sessions } from "../access/sessions.ts";
import { User } from "../store/entities/index.ts";
import type { UserView } from "../store/snapshot.ts";
import type { ManagementServices } from "./services.ts";

/** Access control of one process. */
export interface Access {
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly throttle: LoginThrottle;
  /** The user the first run created, while they exist. */
  administrator(): Promise<UserView | undefined>;
  /** See `authenticate` of core/access. */
  authenticate(request: CredentialRequest): Promise<Principal>;
}

/** Creates access control of one process. */
export function createAccess(services: ManagementServices): Access {
  const { database, loader, config, clock, log, sharedState } = services;
  const sessions = createSessions(database, config.session, clock);
  let administratorId: string | undefined;

  const local = createLoginThrottle(clock);
  const administrator = async (): Promise<UserView | undefined> => {
    administratorId ??= await findAdministrator(services);
    return administratorId === undefined ? undefined : loader.current().users.get(administratorId);
  };

  const authentication: AuthenticationServices = {
    snapshot: () => loader.current(),
    sessions,
    clock,
    adminToken: config.adminToken,
    administrator,
    onTokenUsed: services.onTokenUsed,
  };
  return {
    sessions,
    passwords: createPasswords(),
    throttle: sharedState
      ? createSharedLoginThrottle({ state: sharedState, local, clock, log })
      : local,
    administrator,
    authenticate: (request) => authenticate(request, authentication),
  };
}

/** The user the first run created: the oldest one that nobody else made. */
async function findAdministrator(services: ManagementServices): Promise<string | undefined> {
  try {
    const [first] = await services.database.em().find(User, {
      createdBy: null,
      providerType: "LOCAL",
    }, { orderBy: { createdAt: "asc" }, limit: 1 });
    return first?.userId;
  } catch {
    // With the database away the snapshot still knows who bears the name.
    return [...services.loader.current().users.values()]
      .find(({ username }) => username === "admin")?.userId;
  }
}
