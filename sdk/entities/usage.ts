import type { Answer, ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { AnswerOf, BodyOf, CallOptions } from "../operations.ts";
import type { EnvironmentPath } from "./environment-path.ts";

/** What an environment has used. */
export class Usage {
  readonly #client: Client;
  readonly #path: EnvironmentPath;

  constructor(client: Client, path: EnvironmentPath) {
    this.#client = client;
    this.#path = path;
  }

  /**
   * Aggregates usage by time, dimensions and metadata.
   *
   * @example
   * await vmx.usage.query({
   *   filter: { dateRange: { start: "2026-03-01T00:00:00Z", end: "2026-04-01T00:00:00Z" } },
   *   agg: { totalCost: "sum" }, dimensions: ["model"], granularity: "day",
   * });
   */
  query(body: BodyOf<"queryUsage">, options?: CallOptions): ApiCall<AnswerOf<"queryUsage">> {
    return this.#client.call("queryUsage", { path: this.#path, body }, options);
  }

  /** Reads the rows of a query as CSV. */
  export(
    body: BodyOf<"exportUsage">,
    options?: CallOptions,
  ): Promise<Answer<ReadableStream<Uint8Array>>> {
    return this.#client.stream("exportUsage", { path: this.#path, body }, options);
  }
}
