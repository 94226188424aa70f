import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { User } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";

/** The users of the installation. They go by username, email or id. */
export class Users {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the users by username; `q` searches names and emails. */
  list(query: QueryOf<"listUsers"> = {}, options?: CallOptions): List<User> {
    return this.#client.list("listUsers", { query }, options);
  }

  /** Creates a user; `roleIds` may be names. */
  create(body: BodyOf<"createUser">, options?: CallOptions): ApiCall<User> {
    return this.#client.call("createUser", { body }, options);
  }

  /** Reads a user. */
  get(user: string, query: QueryOf<"getUser"> = {}, options?: CallOptions): ApiCall<User> {
    return this.#client.call("getUser", { path: { userId: user }, query }, options);
  }

  /** Changes a user: absent members stay, null clears. */
  update(user: string, body: BodyOf<"updateUser">, options?: CallOptions): ApiCall<User> {
    return this.#client.call("updateUser", { path: { userId: user }, body }, options);
  }

  /** Deletes a user with sessions, tokens and memberships. */
  delete(user: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteUser", { path: { userId: user } }, options);
  }
}
