import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { AiResource } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { AnswerOf, BodyOf, CallOptions, QueryOf } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";
import { upsert } from "./upsert.ts";

/** The AI resources of an environment: what callers name as `model`. */
export class AiResources {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Lists the resources; `connectionId` (name or id) leaves those with a slot on that connection. */
  list(query: QueryOf<"listAiResources"> = {}, options?: CallOptions): List<AiResource> {
    return this.#client.list("listAiResources", { path: this.#path, query }, options);
  }

  /** Creates a resource. */
  create(body: BodyOf<"createAiResource">, options?: CallOptions): ApiCall<AiResource> {
    return this.#client.call("createAiResource", { path: this.#path, body }, options);
  }

  /** Reads a resource by name or id. */
  get(
    resource: string,
    query: QueryOf<"getAiResource"> = {},
    options?: CallOptions,
  ): ApiCall<AiResource> {
    return this.#client.call("getAiResource", { path: this.#at(resource), query }, options);
  }

  /** Changes a resource: members of `model` merge, lists of slots are replaced, null clears. */
  update(
    resource: string,
    body: BodyOf<"updateAiResource">,
    options?: CallOptions,
  ): ApiCall<AiResource> {
    return this.#client.call("updateAiResource", { path: this.#at(resource), body }, options);
  }

  /** Creates the resource of this name, or changes it. */
  upsert(
    name: string,
    body: Omit<BodyOf<"createAiResource">, "name">,
    options?: CallOptions,
  ): ApiCall<AiResource> {
    return upsert({
      list: () => this.list({ name }, options),
      create: () => this.create({ name, ...body }, options),
      update: ({ resourceId }) => this.update(resourceId, body, options),
    });
  }

  /** Deletes a resource. */
  delete(resource: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call("deleteAiResource", { path: this.#at(resource) }, options);
  }

  /** Shows where a request would go and why, without calling a provider. `draft` tests an unsaved resource. */
  routeTest(
    resource: string,
    body: BodyOf<"testAiResourceRoute">,
    options?: CallOptions,
  ): ApiCall<AnswerOf<"testAiResourceRoute">> {
    return this.#client.call("testAiResourceRoute", { path: this.#at(resource), body }, options);
  }

  /** Reads how many of a resource's recent calls failed, as rules see it. */
  errorRate(
    resource: string,
    query: QueryOf<"getAiResourceErrorRate"> = {},
    options?: CallOptions,
  ): ApiCall<AnswerOf<"getAiResourceErrorRate">> {
    return this.#client.call(
      "getAiResourceErrorRate",
      { path: this.#at(resource), query },
      options,
    );
  }

  #at(resource: string): EnvironmentPath & { readonly resourceId: string } {
    return { ...this.#path, resourceId: resource };
  }
}
