import type { Answer, ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { EventOptions, ServerEvent } from "../events.ts";
import type { List } from "../list.ts";
import type { AnswerOf, CallOptions, ItemOf, QueryOf } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";

/** Values of metadata a request must have, such as `{ "metadata.tier": "gold" }`. */
export type MetadataFilter = { readonly [key: `metadata.${string}`]: string };

/** The requests an environment has served. */
export class Audit {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /** Lists requests, newest first; those of the last 24 hours unless `from` says otherwise. */
  list(
    query: QueryOf<"listAudit"> & MetadataFilter = {},
    options?: CallOptions,
  ): List<ItemOf<"listAudit">> {
    return this.#client.list("listAudit", { path: this.#path, query }, options);
  }

  /** Reads everything about a request; payloads only with the right to read them. */
  get(requestId: string, options?: CallOptions): ApiCall<AnswerOf<"getAudit">> {
    return this.#client.call("getAudit", { path: { ...this.#path, requestId } }, options);
  }

  /**
   * Follows requests as they happen, and goes on after the last event when the connection breaks.
   *
   * @example
   * for await (const { event, data } of vmx.audit.stream({ status: "error" })) console.log(event, data);
   */
  stream(
    query: QueryOf<"streamAudit"> & MetadataFilter = {},
    options?: EventOptions,
  ): AsyncGenerator<ServerEvent<AnswerOf<"streamAudit">>, void, undefined> {
    return this.#client.events("streamAudit", { path: this.#path, query }, options);
  }

  /** Reads all chosen requests as NDJSON or CSV, bit by bit. */
  export(
    query: QueryOf<"exportAudit"> & MetadataFilter = {},
    options?: CallOptions,
  ): Promise<Answer<ReadableStream<Uint8Array>>> {
    return this.#client.stream("exportAudit", { path: this.#path, query }, options);
  }

  /** Lists the keys of metadata in use. */
  metadataKeys(options?: CallOptions): List<string> {
    return this.#client.list("listAuditMetadataKeys", { path: this.#path }, options);
  }

  /** Lists the values in use for a key of metadata. */
  metadataValues(key: string, options?: CallOptions): List<string> {
    const input = { path: this.#path, query: { key } };
    return this.#client.list("listAuditMetadataValues", input, options);
  }
}
