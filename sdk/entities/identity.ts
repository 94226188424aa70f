import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type {
  AuthOptions,
  LoginAnswer,
  Permissions,
  SessionAnswer,
  Token,
  TokenCreated,
  User,
} from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";

/** Signing in and out. */
export class Auth {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Says how people can sign in. */
  options(options?: CallOptions): ApiCall<AuthOptions> {
    return this.#client.call("getAuthOptions", {}, options);
  }

  /** Signs in; a client in session mode then uses the session. */
  login(body: BodyOf<"login">, options?: CallOptions): ApiCall<LoginAnswer> {
    return this.#client.call("login", { body }, options);
  }

  /**
   * Where a browser goes to sign in with the identity provider.
   *
   * @param returnTo path of the gateway to come back to
   */
  federatedLoginUrl(returnTo?: string): string {
    const query = returnTo === undefined ? "" : `?returnTo=${encodeURIComponent(returnTo)}`;
    return `${this.#client.baseUrl}/api/v1/auth/oidc/start${query}`;
  }

  /** Ends the session, or all sessions of the user. */
  logout(body: BodyOf<"logout"> = {}, options?: CallOptions): ApiCall<void> {
    return this.#client.call("logout", { body }, options);
  }

  /** Reads who is signed in, with roles and memberships. */
  session(options?: CallOptions): ApiCall<SessionAnswer> {
    return this.#client.call("getSession", {}, options);
  }

  /** Changes the caller's password; all other sessions and all tokens end. */
  changePassword(body: BodyOf<"changePassword">, options?: CallOptions): ApiCall<void> {
    return this.#client.call("changePassword", { body }, options);
  }
}

/** The caller. */
export class Me {
  /** The caller's personal access tokens. */
  readonly tokens: MyTokens;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
    this.tokens = new MyTokens(client);
  }

  /** Reads the caller's user. */
  get(options?: CallOptions): ApiCall<User> {
    return this.#client.call("getMe", {}, options);
  }

  /** Changes the caller's names and picture. */
  update(body: BodyOf<"updateMe">, options?: CallOptions): ApiCall<User> {
    return this.#client.call("updateMe", { body }, options);
  }

  /** Asks what the caller may do: pairs of action and resource, in the same order. */
  permissions(
    query: QueryOf<"listMyPermissions">,
    options?: CallOptions,
  ): ApiCall<Permissions> {
    return this.#client.call("listMyPermissions", { query }, options);
  }
}

/** The caller's personal access tokens. */
export class MyTokens {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the tokens; their values are masked. */
  list(options?: CallOptions): List<Token> {
    return this.#client.list("listMyTokens", {}, options);
  }

  /** Creates a token. Its value is in this answer only. */
  create(body: BodyOf<"createMyToken">, options?: CallOptions): ApiCall<TokenCreated> {
    return this.#client.call("createMyToken", { body }, options);
  }

  /** Ends a token, by name or id. */
  delete(token: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteMyToken", { path: { tokenId: token } }, options);
  }
}
