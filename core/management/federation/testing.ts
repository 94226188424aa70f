import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

/** Claims of an account, by scope names that hold them. */
export type Account = Readonly<Record<string, unknown>>;

/** A real identity provider on a port of its own. */
export interface TestIdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** People who can sign in, by what they type as their name. Any password will do. */
  readonly accounts: Map<string, Account>;
  /** Serves the gateway with this redirect address from now on. */
  serve(redirectUri: string): void;
  /** Answers that are given out from now on are signed with another key. */
  rotateKeys(): void;
  /** What the provider calls itself from now on. */
  rename(issuer: string | undefined): void;
  /** Stops answering, and answers again. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a provider that knows one client. */
export async function startIdentityProvider(): Promise<TestIdentityProvider> {
  const clientId = "vmx";
  const clientSecret = `canary-oidc-${randomUUID()}`;
  const accounts = new Map<string, Account>();
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let name: string | undefined;
  let redirectUri = "http://127.0.0.1:1/not-known-yet";

  const server = createServer((request, response) => answer(request, response));
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;

  function build(): void {
    const provider: Provider = new Provider(name ?? issuer, {
      clients: [{
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [new URL("/sign-in", redirectUri).href],
      }],
      jwks: { keys: [signingKey()] },
      cookies: { keys: ["cookie key of a test"] },
      pkce: { required: () => true },
      // Claims come with the user info, except those that the ID token always has.
      claims: {
        openid: ["sub", "groups", "realm"],
        email: ["email", "email_verified"],
        profile: ["name", "given_name", "family_name", "picture"],
      },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, ...accounts.get(id) }),
      }),
      // Nobody is asked for consent.
      loadExistingGrant: async (context: Asked) => {
        const { client, session } = context.oidc;
        const grant = new provider.Grant({
          clientId: client.clientId,
          accountId: session.accountId,
        });
        grant.addOIDCScope("openid email profile");
        await grant.save();
        return grant;
      },
    });
    answer = provider.callback();
  }

  build();
  return {
    issuer,
    clientId,
    clientSecret,
    accounts,
    serve(uri) {
      redirectUri = uri;
      build();
    },
    rotateKeys: build,
    rename(next) {
      name = next;
      build();
    },
    pause: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    resume: () => listen(port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Asked {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomUUID() };
}
