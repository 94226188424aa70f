import type { Client } from "../client.ts";
import type { Activity } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { CallOptions, QueryOf } from "../operations.ts";
import { AiConnections } from "./ai-connections.ts";
import { AiResources } from "./ai-resources.ts";
import { ApiKeys } from "./api-keys.ts";
import { Audit } from "./audit.ts";
import type { EnvironmentPath } from "./environment-path.ts";
import { CapacityMeters } from "./live-capacity.ts";
import { PoolDefinitions } from "./pool-definition.ts";
import { Usage } from "./usage.ts";

/** Everything in one environment. */
export class EnvironmentScope {
  readonly aiConnections: AiConnections;
  readonly aiResources: AiResources;
  readonly apiKeys: ApiKeys;
  readonly audit: Audit;
  readonly capacity: CapacityMeters;
  readonly poolDefinition: PoolDefinitions;
  readonly usage: Usage;
  /** What changed in this environment. */
  readonly activity: EnvironmentActivity;

  constructor(client: Client, path: EnvironmentPath) {
    this.aiConnections = new AiConnections(client, path);
    this.aiResources = new AiResources(client, path);
    this.apiKeys = new ApiKeys(client, path);
    this.audit = new Audit(client, path);
    this.capacity = new CapacityMeters(client, path);
    this.poolDefinition = new PoolDefinitions(client, path);
    this.usage = new Usage(client, path);
    this.activity = new EnvironmentActivity(client, path);
  }
}

/** What changed in an environment. */
export class EnvironmentActivity {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Lists changes, newest first. */
  list(
    query: QueryOf<"listEnvironmentActivity"> = {},
    options?: CallOptions,
  ): List<Activity> {
    return this.#client.list("listEnvironmentActivity", { path: this.#path, query }, options);
  }
}
