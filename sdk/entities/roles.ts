import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { PermissionCatalog, Role } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { CallOptions, QueryOf } from "../operations.ts";

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

  /** Lists every action there is, and the resources it is about. */
  permissions(options?: CallOptions): ApiCall<PermissionCatalog> {
    return this.#client.call("listPermissions", {}, options);
  }
}
