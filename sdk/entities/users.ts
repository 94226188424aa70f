import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { User } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";
import { upsert } from "./upsert.ts";

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

  /**
   * Creates the user of this username, or changes them. `password` and `roleIds` count at the creation alone: a
   * password that is set again would end sessions and tokens, and roles are given with `roles.assign`.
   */
  upsert(
    username: string,
    body: Omit<BodyOf<"createUser">, "username">,
    options?: CallOptions,
  ): ApiCall<User> {
    const wanted = username.toLowerCase();
    const { password: _password, roleIds: _roleIds, ...changes } = body;
    return upsert({
      list: () =>
        this.list({ q: username, limit: 500 }, options).then(({ data }) => ({
          data: data.filter((user) => user.username.toLowerCase() === wanted),
        })),
      create: () => this.create({ username, ...body }, options),
      update: ({ userId }) => this.update(userId, changes, options),
    });
  }

  /** Deletes a user with sessions, tokens and memberships. */
  delete(user: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteUser", { path: { userId: user } }, options);
  }
}
