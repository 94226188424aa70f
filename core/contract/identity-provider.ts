import type { JsonObject } from "./json.ts";

/** Federated login. */
export interface IdentityProvider {
  /** Label of the sign-in button. */
  readonly label: string;
  /**
   * Where the browser goes, and what must come back with it. `request.state` has to come back in the answer's query.
   * Throws `OIDC_RESPONSE_ERROR` when the provider does not answer.
   */
  begin(
    request: { readonly redirectUri: string; readonly state: string },
  ): Promise<{ readonly url: string; readonly state: JsonObject }>;
  /**
   * Verifies the answer: `url` is the one the browser came back with, `state` what `begin` answered.
   * Throws `OIDC_RESPONSE_ERROR`.
   */
  complete(
    request: { readonly url: string; readonly state: JsonObject; readonly redirectUri: string },
  ): Promise<FederatedIdentity>;
  /** Asks whether the provider answers. Rejects with the reason when it does not. */
  check?(): Promise<void>;
  /** Where the browser goes to end the provider's session, if it has such a place. */
  endSessionUrl?(
    request: { readonly returnTo: string },
  ): Promise<string | undefined>;
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
