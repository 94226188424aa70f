import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { EventOptions, ServerEvent } from "../events.ts";
import type { LiveCapacity } from "../generated/types.gen.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";

/** What is used of the limits of an environment. */
export class CapacityMeters {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Reads the meters, of one level or one subject or all. */
  get(query: QueryOf<"getCapacity"> = {}, options?: CallOptions): ApiCall<LiveCapacity> {
    return this.#client.call("getCapacity", { path: this.#path, query }, options);
  }

  /** Follows the meters. */
  stream(
    query: QueryOf<"getCapacity"> = {},
    options?: EventOptions,
  ): AsyncGenerator<ServerEvent<LiveCapacity>, void, undefined> {
    return this.#client.events("getCapacity", { path: this.#path, query }, options);
  }

  /** Sets what is used of a limit back to nothing. */
  reset(body: BodyOf<"resetCapacity">, options?: CallOptions): ApiCall<void> {
    return this.#client.call("resetCapacity", { path: this.#path, body }, options);
  }
}
