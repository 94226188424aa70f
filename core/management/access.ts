import {
  authenticate,
  type AuthenticationServices,
  type CredentialRequest,
} from "../access/authenticate.ts";
import { createLoginThrottle, type LoginThrottle } from "../access/login-throttle.ts";
import { createPasswords, type Passwords } from "../access/password.ts";
import type { Principal } from "../access/principal.ts";
import { createSessions, type Sessions } from "../access/sessions.ts";
import { ApiKey, PersonalAccessToken, User } from "../store/entities/index.ts";
import type { UserView } from "../store/snapshot.ts";
import type { ManagementServices } from "./services.ts";

/** Access control of one process. */
export interface Access {
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly throttle: LoginThrottle;
  /** See `authenticate` of core/access. */
  authenticate(request: CredentialRequest): Promise<Principal>;
}

const minuteMs = 60_000;

/** Creates access control of one process. */
export function createAccess(services: ManagementServices): Access {
  const { database, loader, config, clock, log } = services;
  const sessions = createSessions(database, config.session, clock);
  const lastNoted = new Map<string, number>();
  let administratorId: string | undefined;

  const authentication: AuthenticationServices = {
    snapshot: () => loader.current(),
    sessions,
    clock,
    adminToken: config.adminToken,
    async administrator(): Promise<UserView | undefined> {
      administratorId ??= await findAdministrator(services);
      return administratorId === undefined
        ? undefined
        : loader.current().users.get(administratorId);
    },
    onTokenUsed(tokenId) {
      const now = clock.now();
      if (now - (lastNoted.get(tokenId) ?? 0) < minuteMs) return;
      lastNoted.set(tokenId, now);
      void database.em()
        .nativeUpdate(PersonalAccessToken, { tokenId }, { lastUsedAt: new Date(now) })
        .catch((error: unknown) => log.debug("Cannot note the use of a token", { error }));
    },
  };
  return {
    sessions,
    passwords: createPasswords(),
    throttle: createLoginThrottle(clock),
    authenticate: (request) => authenticate(request, authentication),
  };
}

/** Notes when API keys are used, with the precision of a minute. */
export function createApiKeyUseRecorder(
  { database, clock, log }: Pick<ManagementServices, "database" | "clock" | "log">,
): (apiKeyId: string) => void {
  const lastNoted = new Map<string, number>();
  return (apiKeyId) => {
    const now = clock.now();
    if (now - (lastNoted.get(apiKeyId) ?? 0) < minuteMs) return;
    lastNoted.set(apiKeyId, now);
    void database.em().nativeUpdate(ApiKey, { apiKeyId }, { lastUsedAt: new Date(now) })
      .catch((error: unknown) => log.debug("Cannot note the use of an API key", { error }));
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
