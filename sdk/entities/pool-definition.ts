import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { AllocationAnswer, PoolDefinition } from "../generated/types.gen.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";

/** How the resources of an environment share their connections. */
export class PoolDefinitions {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Reads the definition; there is at most one. */
  get(
    query: QueryOf<"getPoolDefinition"> = {},
    options?: CallOptions,
  ): ApiCall<PoolDefinition> {
    return this.#client.call("getPoolDefinition", { path: this.#path, query }, options);
  }

  /** Creates the definition or replaces it; `resources` of entries may be names. */
  put(body: BodyOf<"putPoolDefinition">, options?: CallOptions): ApiCall<PoolDefinition> {
    return this.#client.call("putPoolDefinition", { path: this.#path, body }, options);
  }

  /** Changes the definition that exists. */
  update(body: BodyOf<"updatePoolDefinition">, options?: CallOptions): ApiCall<PoolDefinition> {
    return this.#client.call("updatePoolDefinition", { path: this.#path, body }, options);
  }

  /** Deletes the definition: resources no longer have shares. */
  delete(options?: CallOptions): ApiCall<void> {
    return this.#client.call("deletePoolDefinition", { path: this.#path }, options);
  }

  /** Reads the present shares and how they came about. */
  allocation(
    query: QueryOf<"getAllocation"> = {},
    options?: CallOptions,
  ): ApiCall<AllocationAnswer> {
    return this.#client.call("getAllocation", { path: this.#path, query }, options);
  }
}
