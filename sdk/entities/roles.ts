import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { PermissionCatalog, Role } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { AnswerOf, BodyOf, CallOptions, ItemOf, QueryOf } from "../operations.ts";
import { upsert } from "./upsert.ts";

/** The roles of the installation. They go by name or id. */
export class Roles {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the roles. */
  list(query: QueryOf<"listRoles"> = {}, options?: CallOptions): List<Role> {
    return this.#client.list("listRoles", { query }, options);
  }

  /** Reads a role. */
  get(role: string, query: QueryOf<"getRole"> = {}, options?: CallOptions): ApiCall<Role> {
    return this.#client.call("getRole", { path: { roleId: role }, query }, options);
  }

  /** Creates a role. */
  create(body: BodyOf<"createRole">, options?: CallOptions): ApiCall<Role> {
    return this.#client.call("createRole", { body }, options);
  }

  /** Changes a role: absent members stay, null clears. */
  update(role: string, body: BodyOf<"updateRole">, options?: CallOptions): ApiCall<Role> {
    return this.#client.call("updateRole", { path: { roleId: role }, body }, options);
  }

  /** Creates the role of this name, or changes it. */
  upsert(
    name: string,
    body: Omit<BodyOf<"createRole">, "name">,
    options?: CallOptions,
  ): ApiCall<Role> {
    return upsert({
      list: () => this.list({ name }, options),
      create: () => this.create({ name, ...body }, options),
      update: ({ roleId }) => this.update(roleId, body, options),
    });
  }

  /** Deletes a role; `detach` takes it from those who hold it. */
  delete(role: string, query: QueryOf<"deleteRole"> = {}, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteRole", { path: { roleId: role }, query }, options);
  }

  /** Lists who holds a role. */
  members(role: string, options?: CallOptions): List<ItemOf<"listRoleMembers">> {
    return this.#client.list("listRoleMembers", { path: { roleId: role } }, options);
  }

  /** Gives a role to users, who go by username, email or id. */
  assign(role: string, users: string[], options?: CallOptions): ApiCall<void> {
    return this.#client.call(
      "assignRole",
      { path: { roleId: role }, body: { userIds: users } },
      options,
    );
  }

  /** Takes a role from users. */
  unassign(role: string, users: string[], options?: CallOptions): ApiCall<void> {
    return this.#client.call(
      "unassignRole",
      { path: { roleId: role }, body: { userIds: users } },
      options,
    );
  }

  /** Decides what a user or a draft of a policy would be allowed, and tells which statement decides. */
  simulate(
    body: BodyOf<"simulatePolicy">,
    options?: CallOptions,
  ): ApiCall<AnswerOf<"simulatePolicy">> {
    return this.#client.call("simulatePolicy", { body }, options);
  }

  /** Lists every action there is, and the resources it is about. */
  permissions(options?: CallOptions): ApiCall<PermissionCatalog> {
    return this.#client.call("listPermissions", {}, options);
  }
}
