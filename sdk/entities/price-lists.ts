import type { ApiCall } from "../call.ts";
import type { Client } from "../client.ts";
import type { CostEffect, PriceList, PriceListSummary } from "../generated/types.gen.ts";
import type { List } from "../list.ts";
import type { BodyOf, CallOptions } from "../operations.ts";

/** What models cost. */
export class PriceLists {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Lists the price lists, the newest first, the one of the release last. */
  list(options?: CallOptions): List<PriceListSummary> {
    return this.#client.list("listPriceLists", {}, options);
  }

  /** Reads a price list with its entries. */
  get(priceListId: string, options?: CallOptions): ApiCall<PriceList> {
    return this.#client.call("getPriceList", { path: { priceListId } }, options);
  }

  /** Adds a price list, which supersedes older ones from its `effectiveFrom` on. */
  create(body: BodyOf<"createPriceList">, options?: CallOptions): ApiCall<PriceList> {
    return this.#client.call("createPriceList", { body }, options);
  }

  /** Tells what the requests of the last days would have cost by a price list. */
  preview(body: BodyOf<"previewPriceList">, options?: CallOptions): ApiCall<CostEffect> {
    return this.#client.call("previewPriceList", { body }, options);
  }

  /** Prices the requests of a period anew; with `dryRun` only tells what would change. */
  rerate(
    priceListId: string,
    body: BodyOf<"rerateUsage">,
    options?: CallOptions,
  ): ApiCall<CostEffect> {
    return this.#client.call("rerateUsage", { path: { priceListId }, body }, options);
  }
}
