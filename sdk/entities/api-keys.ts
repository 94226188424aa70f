import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { ApiKey, ApiKeyCreated } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";
import { upsert } from "./upsert.ts";

/** The API keys of an environment. */
export class ApiKeys {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Lists the keys, newest first; their values are masked. */
  list(query: QueryOf<"listApiKeys"> = {}, options?: CallOptions): List<ApiKey> {
    return this.#client.list("listApiKeys", { path: this.#path, query }, options);
  }

  /** Creates a key. Its `value` is in this answer only; `resources` may be names. */
  create(body: BodyOf<"createApiKey">, options?: CallOptions): ApiCall<ApiKeyCreated> {
    return this.#client.call("createApiKey", { path: this.#path, body }, options);
  }

  /** Reads a key by name or id. */
  get(key: string, query: QueryOf<"getApiKey"> = {}, options?: CallOptions): ApiCall<ApiKey> {
    return this.#client.call("getApiKey", { path: this.#at(key), query }, options);
  }

  /** Changes a key: absent members stay, null clears. */
  update(key: string, body: BodyOf<"updateApiKey">, options?: CallOptions): ApiCall<ApiKey> {
    return this.#client.call("updateApiKey", { path: this.#at(key), body }, options);
  }

  /** Creates the key of this name, whose `value` is in this answer only, or changes it. */
  upsert(
    name: string,
    body: Omit<BodyOf<"createApiKey">, "name"> = {},
    options?: CallOptions,
  ): ApiCall<ApiKey | ApiKeyCreated> {
    return upsert<ApiKey, ApiKeyCreated>({
      list: () => this.list({ name }, options),
      create: () => this.create({ name, ...body }, options),
      update: ({ apiKeyId }) => this.update(apiKeyId, body, options),
    });
  }

  /** Deletes a key. */
  delete(key: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteApiKey", { path: this.#at(key) }, options);
  }

  /** Gives a key a new value; the old one stays valid for `graceSeconds`. */
  roll(
    key: string,
    body: BodyOf<"rollApiKey"> = {},
    options?: CallOptions,
  ): ApiCall<ApiKeyCreated> {
    return this.#client.call("rollApiKey", { path: this.#at(key), body }, options);
  }

  #at(key: string): EnvironmentPath & { readonly apiKeyId: string } {
    return { ...this.#path, apiKeyId: key };
  }
}
