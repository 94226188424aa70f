import type { TokenView, UserView } from "../store/snapshot.ts";

/** Who calls the management API. */
export interface Principal {
  readonly user: UserView;
  /** How they came: console session, personal access token, or the installation's admin token. */
  readonly via: "session" | "token" | "admin-token";
  readonly token?: TokenView;
  readonly session?: PrincipalSession;
}

/** The console session a principal came with. */
export interface PrincipalSession {
  readonly sessionHash: string;
  readonly csrfToken: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}
