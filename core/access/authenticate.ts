import { GatewayError } from "../contract/errors.ts";
import type { Clock } from "../contract/plugin.ts";
import type { Snapshot, UserView } from "../store/snapshot.ts";
import { secretPrefix } from "./api-key-format.ts";
import { checkCsrf, equalSecrets } from "./csrf.ts";
import type { Principal } from "./principal.ts";
import type { Sessions } from "./sessions.ts";
import { hashSecret, tokenPrefix } from "./token-format.ts";

/** Name of the console session's cookie. */
export const sessionCookie = "vmx_session";

/** The parts of a request that say who asks. */
export interface CredentialRequest {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** True when a credential header came more than once. */
  readonly duplicateCredential: boolean;
  /** Origin the browser is known to have reached; see `checkCsrf`. */
  readonly origin: string;
}

/** What authentication stands on. */
export interface AuthenticationServices {
  readonly snapshot: () => Snapshot;
  readonly sessions: Sessions;
  readonly clock: Clock;
  /** `VMX_ADMIN_TOKEN`, while it is set. */
  readonly adminToken: string | undefined;
  /** The user the admin token acts as. */
  readonly administrator: () => Promise<UserView | undefined>;
  /** Told of a token's use. */
  readonly onTokenUsed?: ((tokenId: string) => void) | undefined;
}

/**
 * Finds out who calls the management API.
 *
 * Throws `NOT_AUTHENTICATED`, `SESSION_EXPIRED`, `TOKEN_EXPIRED`, `API_KEY_CANNOT_MANAGE`, `USER_INACTIVE` or
 * `CSRF_TOKEN_INVALID`.
 */
export async function authenticate(
  request: CredentialRequest,
  services: AuthenticationServices,
): Promise<Principal> {
  const { headers } = request;
  if (request.duplicateCredential) refuse("the request carries more than one credential");
  const authorization = headers["authorization"];
  const bearer = authorization === undefined
    ? undefined
    : /^bearer +(\S+)$/i.exec(authorization.trim())?.[1] ??
      refuse("the Authorization header is not of the form `Bearer <token>`");
  const apiKey = headers["x-api-key"]?.trim();
  if (bearer && apiKey && bearer !== apiKey) refuse("the request carries more than one credential");
  const credential = bearer ?? apiKey;
  if (credential) return await byBearer(credential, services);

  const cookie = readCookie(headers["cookie"]);
  if (cookie === undefined) refuse("send a personal access token, or sign in");
  const session = await services.sessions.find(cookie);
  const user = services.snapshot().users.get(session.userId);
  if (!user) throw new GatewayError("SESSION_EXPIRED", "The session has ended: sign in again");
  checkActive(user);
  checkCsrf(request, session.csrfToken);
  const { sessionHash, csrfToken, createdAt, expiresAt } = session;
  return { user, via: "session", session: { sessionHash, csrfToken, createdAt, expiresAt } };
}

/** The session id in a Cookie header. */
export function readCookie(header: string | undefined): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === sessionCookie) {
      return pair.slice(equals + 1).trim() || undefined;
    }
  }
  return undefined;
}

async function byBearer(
  credential: string,
  services: AuthenticationServices,
): Promise<Principal> {
  const snapshot = services.snapshot();
  if (services.adminToken !== undefined && equalSecrets(credential, services.adminToken)) {
    const user = await services.administrator() ??
      refuse("the administrator the admin token stands for does not exist any more");
    checkActive(user);
    return { user, via: "admin-token" };
  }
  const hash = hashSecret(credential);
  if (credential.startsWith(secretPrefix) || snapshot.apiKeysByHash.has(hash)) {
    throw new GatewayError(
      "API_KEY_CANNOT_MANAGE",
      "API keys call models, they cannot manage the gateway: use a personal access token",
    );
  }
  const token = credential.startsWith(tokenPrefix) ? snapshot.tokensByHash.get(hash) : undefined;
  const user = token && snapshot.users.get(token.userId);
  if (!token || !user) refuse("the token is not valid");
  if (token.expiresAt && token.expiresAt.getTime() <= services.clock.now()) {
    throw new GatewayError(
      "TOKEN_EXPIRED",
      `The token expired at ${token.expiresAt.toISOString()}`,
    );
  }
  checkActive(user);
  services.onTokenUsed?.(token.tokenId);
  return { user, via: "token", token };
}

function checkActive(user: UserView): void {
  if (user.state !== "INACTIVE") return;
  throw new GatewayError("USER_INACTIVE", "The user is inactive: ask an administrator");
}

function refuse(reason: string): never {
  throw new GatewayError("NOT_AUTHENTICATED", `Cannot tell who is calling: ${reason}`);
}
