import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { Environment } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions, QueryOf } from "../operations.ts";
import { upsert } from "./upsert.ts";

/** The environments of workspaces. Workspaces and environments go by name or id. */
export class Environments {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the environments of a workspace. */
  list(
    workspace: string,
    query: QueryOf<"listEnvironments"> = {},
    options?: CallOptions,
  ): List<Environment> {
    return this.#client.list(
      "listEnvironments",
      { path: { workspaceId: workspace }, query },
      options,
    );
  }

  /** Creates an environment. */
  create(
    workspace: string,
    body: BodyOf<"createEnvironment">,
    options?: CallOptions,
  ): ApiCall<Environment> {
    return this.#client.call(
      "createEnvironment",
      { path: { workspaceId: workspace }, body },
      options,
    );
  }

  /** Reads an environment. */
  get(
    workspace: string,
    environment: string,
    query: QueryOf<"getEnvironment"> = {},
    options?: CallOptions,
  ): ApiCall<Environment> {
    return this.#client.call(
      "getEnvironment",
      { path: { workspaceId: workspace, environmentId: environment }, query },
      options,
    );
  }

  /** Changes an environment: absent members stay, settings merge, null clears. */
  update(
    workspace: string,
    environment: string,
    body: BodyOf<"updateEnvironment">,
    options?: CallOptions,
  ): ApiCall<Environment> {
    return this.#client.call(
      "updateEnvironment",
      { path: { workspaceId: workspace, environmentId: environment }, body },
      options,
    );
  }

  /** Creates the environment of this name, or changes it. */
  upsert(
    workspace: string,
    name: string,
    body: Omit<BodyOf<"createEnvironment">, "name"> = {},
    options?: CallOptions,
  ): ApiCall<Environment> {
    return upsert({
      list: () => this.list(workspace, { name }, options),
      create: () => this.create(workspace, { name, ...body }, options),
      update: ({ environmentId }) => this.update(workspace, environmentId, body, options),
    });
  }

  /** Deletes an environment with everything in it. */
  delete(workspace: string, environment: string, options?: CallOptions): ApiCall<void> {
    return this.#client.call(
      "deleteEnvironment",
      { path: { workspaceId: workspace, environmentId: environment } },
      options,
    );
  }
}
