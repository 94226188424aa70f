import type { JsonObject } from "./json.ts";

/** Federated login. */
export interface IdentityProvider {
  /** Label of the sign-in button. */
  readonly label: string;
  /** Where the browser goes, and what must come back with it. */
  begin(
    request: { readonly redirectUri: string },
  ): Promise<{ readonly url: string; readonly state: JsonObject }>;
  /** Verifies the answer. Throws `OIDC_RESPONSE_ERROR`. */
  complete(
    request: { readonly url: string; readonly state: JsonObject; readonly redirectUri: string },
  ): Promise<FederatedIdentity>;
  /** Where the browser goes to end the provider's session, if it has such a place. */
  endSessionUrl?(): Promise<string | undefined>;
}

/** Who signed in. */
export interface FederatedIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly email?: string;
  /** True only if the provider says so. */
  readonly emailVerified: boolean;
  readonly name?: string;
  readonly claims: JsonObject;
}
