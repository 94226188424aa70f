import type { Client } from "../client.ts";
import type { Activity } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { CallOptions, QueryOf } from "../operations.ts";

/** What changed in the caller's workspaces and in the installation. */
export class ActivityLog {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists changes, newest first. */
  list(query: QueryOf<"listActivity"> = {}, options?: CallOptions): List<Activity> {
    return this.#client.list("listActivity", { query }, options);
  }
}
