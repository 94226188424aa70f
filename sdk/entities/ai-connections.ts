import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type {
  AiConnection,
  ConnectionModels,
  ConnectionTestResult,
} from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions, ItemOf, QueryOf } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";
import { upsert } from "./upsert.ts";

/** The AI connections of an environment: providers with their credentials. */
export class AiConnections {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Lists the connections; secrets are masked. */
  list(query: QueryOf<"listAiConnections"> = {}, options?: CallOptions): List<AiConnection> {
    return this.#client.list("listAiConnections", { path: this.#path, query }, options);
  }

  /** Creates a connection. */
  create(body: BodyOf<"createAiConnection">, options?: CallOptions): ApiCall<AiConnection> {
    return this.#client.call("createAiConnection", { path: this.#path, body }, options);
  }

  /** Reads a connection by name or id. */
  get(
    connection: string,
    query: QueryOf<"getAiConnection"> = {},
    options?: CallOptions,
  ): ApiCall<AiConnection> {
    return this.#client.call("getAiConnection", { path: this.#at(connection), query }, options);
  }

  /** Changes a connection: absent members stay, null clears; a secret that is not sent is kept. */
  update(
    connection: string,
    body: BodyOf<"updateAiConnection">,
    options?: CallOptions,
  ): ApiCall<AiConnection> {
    return this.#client.call("updateAiConnection", { path: this.#at(connection), body }, options);
  }

  /** Creates the connection of this name, or changes it. */
  upsert(
    name: string,
    body: Omit<BodyOf<"createAiConnection">, "name">,
    options?: CallOptions,
  ): ApiCall<AiConnection> {
    return upsert({
      list: () => this.list({ name }, options),
      create: () => this.create({ name, ...body }, options),
      update: ({ connectionId }) => this.update(connectionId, body, options),
    });
  }

  /** Deletes a connection; `detach` takes it out of the slots that refer to it. */
  delete(
    connection: string,
    query: QueryOf<"deleteAiConnection"> = {},
    options?: CallOptions,
  ): ApiCall<void> {
    return this.#client.call("deleteAiConnection", { path: this.#at(connection), query }, options);
  }

  /** Tests a stored connection; members of `config` that are sent replace the stored ones for the test. */
  test(
    connection: string,
    body: BodyOf<"testAiConnection"> = {},
    options?: CallOptions,
  ): ApiCall<ConnectionTestResult> {
    return this.#client.call("testAiConnection", { path: this.#at(connection), body }, options);
  }

  /** Tests a configuration that is not stored. */
  testConfig(
    body: BodyOf<"testAiConnectionConfig">,
    options?: CallOptions,
  ): ApiCall<ConnectionTestResult> {
    return this.#client.call("testAiConnectionConfig", { path: this.#path, body }, options);
  }

  /** Lists the models the provider offers, and which of them are allowed. */
  models(
    connection: string,
    query: QueryOf<"listAiConnectionModels"> = {},
    options?: CallOptions,
  ): ApiCall<ConnectionModels> {
    return this.#client.call(
      "listAiConnectionModels",
      { path: this.#at(connection), query },
      options,
    );
  }

  /** Lists the model slots that refer to a connection. */
  references(
    connection: string,
    options?: CallOptions,
  ): List<ItemOf<"listAiConnectionReferences">> {
    return this.#client.list(
      "listAiConnectionReferences",
      { path: this.#at(connection) },
      options,
    );
  }

  #at(connection: string): EnvironmentPath & { readonly connectionId: string } {
    return { ...this.#path, connectionId: connection };
  }
}
