import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { Plugin, ProviderDescriptor, System } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions } from "../operations.ts";

/** The providers connections can be made to. */
export class AiProviders {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the providers with the schemas of their configuration. */
  list(options?: CallOptions): List<ProviderDescriptor> {
    return this.#client.list("listAiProviders", {}, options);
  }
}

/** The plugins of the installation. */
export class Plugins {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the plugins with their state. */
  list(options?: CallOptions): List<Plugin> {
    return this.#client.list("listPlugins", {}, options);
  }

  /** Reads a plugin. */
  get(pluginId: string, options?: CallOptions): ApiCall<Plugin> {
    return this.#client.call("getPlugin", { path: { pluginId } }, options);
  }

  /** Switches a plugin off or on, or changes its settings. */
  update(pluginId: string, body: BodyOf<"updatePlugin">, options?: CallOptions): ApiCall<Plugin> {
    return this.#client.call("updatePlugin", { path: { pluginId }, body }, options);
  }
}

/** The gateway itself. */
export class SystemState {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Reads version, revision and dependencies. */
  get(options?: CallOptions): ApiCall<System> {
    return this.#client.call("getSystem", {}, options);
  }

  /** Reads the OpenAPI document of the gateway. */
  openApi(options?: CallOptions): ApiCall<Record<string, unknown>> {
    return this.#client.call("getOpenApi", {}, options);
  }
}
