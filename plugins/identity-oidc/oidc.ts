import {
  type FederatedIdentity,
  GatewayError,
  type IdentityProvider,
  type JsonObject,
} from "@vmx/core/contract";
import * as client from "openid-client";
import { refusal } from "./refusal.ts";
import type { OidcSettings } from "./settings.ts";

/** What the provider works with. */
export interface OidcParts {
  /** `fetch` through the egress guard. */
  readonly fetch: typeof fetch;
  /** Aborted when the gateway shuts down. */
  readonly signal: AbortSignal;
}

/** Seconds one request to the provider may take. */
const timeoutSeconds = 10;

/**
 * Federated login by OpenID Connect: authorization code with PKCE S256, `state` and `nonce`. Metadata and keys are
 * read anew for each step of a login, so that rotated keys and moved endpoints count at once; logins are rare.
 */
export function createOidcProvider(settings: OidcSettings, parts: OidcParts): IdentityProvider {
  const { issuer, clientId, clientSecret, scope, label } = settings;

  async function discover(): Promise<client.Configuration> {
    // The egress guard decides whether plain HTTP may be used, as it does for every address.
    const plain = issuer.protocol === "http:" ? [client.allowInsecureRequests] : [];
    const guarded: client.CustomFetch = (url, options) =>
      parts.fetch(url, {
        ...options,
        signal: AbortSignal.any([parts.signal, ...(options.signal ? [options.signal] : [])]),
      } as RequestInit);
    const found = await client.discovery(issuer, clientId, undefined, client.None(), {
      [client.customFetch]: guarded,
      execute: plain,
      timeout: timeoutSeconds,
    });
    const metadata = found.serverMetadata();
    const configuration = new client.Configuration(
      metadata,
      clientId,
      undefined,
      authentication(metadata.token_endpoint_auth_methods_supported),
    );
    configuration[client.customFetch] = guarded;
    configuration.timeout = timeoutSeconds;
    for (const allow of plain) allow(configuration);
    // Without it the library trusts the transport and leaves the signature alone.
    client.enableNonRepudiationChecks(configuration);
    return configuration;
  }

  function authentication(methods: readonly string[] | undefined): client.ClientAuth {
    if (clientSecret === undefined) return client.None();
    const isPost = methods?.includes("client_secret_post") &&
      !methods.includes("client_secret_basic");
    return isPost
      ? client.ClientSecretPost(clientSecret.reveal())
      : client.ClientSecretBasic(clientSecret.reveal());
  }

  async function guarded<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw refusal(what, error);
    }
  }

  return {
    label,

    begin: ({ redirectUri, state }) =>
      guarded("begin the login", async () => {
        const configuration = await discover();
        const codeVerifier = client.randomPKCECodeVerifier();
        const nonce = client.randomNonce();
        const url = client.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope,
          state,
          nonce,
          code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: "S256",
        });
        return { url: url.href, state: { state, nonce, codeVerifier } };
      }),

    complete: ({ url, state, redirectUri }) =>
      guarded("complete the login", async () => {
        const { state: expectedState, nonce, codeVerifier } = state;
        if (
          typeof expectedState !== "string" || typeof nonce !== "string" ||
          typeof codeVerifier !== "string"
        ) {
          throw new GatewayError(
            "OIDC_RESPONSE_ERROR",
            "Cannot complete the login: its beginning is lost",
          );
        }
        // What the provider knows the address as; it need not be the one the request came in on.
        const answered = new URL(redirectUri);
        answered.search = new URL(url).search;
        const configuration = await discover();
        const tokens = await client.authorizationCodeGrant(configuration, answered, {
          expectedState,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        const identity = tokens.claims();
        if (identity === undefined) throw new Error("the answer lacks an ID token");
        const { iss, sub } = identity;
        // Many providers keep email and groups for the user info alone.
        const more = configuration.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await client.fetchUserInfo(configuration, tokens.access_token, sub);
        return federatedIdentity(iss, sub, { ...more, ...identity } as JsonObject);
      }),

    async check() {
      await guarded("reach the identity provider", discover);
    },

    endSessionUrl: ({ returnTo }) =>
      guarded("end the provider's session", async () => {
        const configuration = await discover();
        if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
        return client.buildEndSessionUrl(configuration, {
          post_logout_redirect_uri: returnTo,
        }).href;
      }),
  };
}

function federatedIdentity(
  issuer: string,
  subject: string,
  claims: JsonObject,
): FederatedIdentity {
  const { email, name } = claims;
  return {
    issuer,
    subject,
    ...(typeof email === "string" && email !== "" ? { email } : {}),
    // Some providers send the text "true": only the boolean counts.
    emailVerified: claims["email_verified"] === true,
    ...(typeof name === "string" && name !== "" ? { name } : {}),
    claims,
  };
}
