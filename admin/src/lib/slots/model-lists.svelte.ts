import { getContext, setContext } from "svelte";
import type { AiConnection, ConnectionModels, ProviderDescriptor } from "@vmx/sdk";
import { Query } from "#lib/api/query.svelte.ts";
import type { Scope } from "#lib/api/scope.ts";
import { vmx } from "#lib/api/vmx.ts";

/** What slot editors of one page offer: the connections, and their models once somebody asks. */
export class ModelLists {
  readonly connections: Query<AiConnection[]>;
  readonly providers: Query<ProviderDescriptor[]>;
  readonly #scope: Scope;
  readonly #models = new Map<string, Query<ConnectionModels>>();

  constructor(scope: Scope) {
    this.#scope = scope;
    this.connections = new Query(() => scope.api.aiConnections.list().toArray());
    this.providers = new Query(() => vmx.aiProviders.list().toArray());
  }

  /** The models of a connection; asked for once per page. */
  models(connectionId: string): Query<ConnectionModels> {
    let models = this.#models.get(connectionId);
    if (!models) {
      models = new Query(() => this.#scope.api.aiConnections.models(connectionId));
      this.#models.set(connectionId, models);
    }
    return models;
  }

  /** Name of a connection, or the beginning of its id where it is not known. */
  nameOf(connectionId: string): string {
    const known = this.connections.data?.find((each) => each.connectionId === connectionId);
    return known?.name ?? (connectionId ? connectionId.slice(0, 8) : "no connection");
  }

  /** The model a provider suggests for a start. */
  defaultModel(connectionId: string): string | undefined {
    const connection = this.connections.data?.find((each) => each.connectionId === connectionId);
    const provider = this.providers.data?.find(({ id }) => id === connection?.provider);
    return provider?.defaultModel ?? undefined;
  }
}

const key = Symbol("model lists");

/** Makes the lists for all slot editors below the calling component. */
export function provideModelLists(scope: Scope): ModelLists {
  return setContext(key, new ModelLists(scope));
}

/** The lists the page has made. */
export function useModelLists(): ModelLists {
  return getContext<ModelLists>(key);
}
