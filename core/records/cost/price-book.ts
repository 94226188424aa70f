import type { PriceEntry, PriceList } from "@vmx/schemas";
import { createPriceTable, type PriceTable } from "./price-table.ts";

/** Prices found for a model. */
export interface FoundPrice {
  readonly list: Pick<PriceList, "priceListId" | "version" | "currency">;
  readonly entry: PriceEntry;
}

/** Every price list in force, in memory. */
export interface PriceBook {
  /**
   * Finds the prices of a model: in the newest USER list in force at the time, else in the SYSTEM list.
   *
   * @param at Unix milliseconds of the request's arrival
   */
  find(
    provider: string,
    model: string,
    serviceTier: string | null,
    at: number,
  ): FoundPrice | undefined;
}

/** Prepares lists for being looked up. */
export function createPriceBook(
  system: PriceList,
  users: readonly PriceList[],
): PriceBook {
  const prepared = (list: PriceList) => ({
    list,
    from: Date.parse(list.effectiveFrom),
    table: createPriceTable(list.entries),
  });
  const newestFirst = [...users].sort((a, b) => b.version - a.version).map(prepared);
  const last = prepared(system);
  return {
    find(provider, model, serviceTier, at) {
      const search = ({ list, table }: { list: PriceList; table: PriceTable }) => {
        const entry = table(provider, model, serviceTier);
        return entry && { list, entry };
      };
      const user = newestFirst.find(({ from }) => from <= at);
      return user && search(user) || search(last);
    },
  };
}
