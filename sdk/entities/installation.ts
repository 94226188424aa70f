import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type {
  Plugin,
  ProviderDescriptor,
  ReEncrypt,
  ReEncryption,
  System,
} from "../generated/types.gen.ts";
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

  /** Tells which keys stored secrets are sealed with, and how far re-encryption is. */
  reEncryption(options?: CallOptions): ApiCall<ReEncryption> {
    return this.#client.call("getReEncryption", {}, options);
  }

  /** Rewrites all stored secrets with the newest key in the background. */
  reEncrypt(body: ReEncrypt, options?: CallOptions): ApiCall<ReEncryption> {
    return this.#client.call("startReEncryption", { body }, options);
  }

  /** Reads the OpenAPI document of the gateway. */
  openApi(options?: CallOptions): ApiCall<Record<string, unknown>> {
    return this.#client.call("getOpenApi", {}, options);
  }
}
