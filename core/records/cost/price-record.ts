import type { AuditCost, AuditLeg } from "@vmx/schemas";
import type { AuditRecord } from "../record.ts";
import { addCosts, amountsOf, roundAmounts } from "./amounts.ts";
import type { FoundPrice, PriceBook } from "./price-book.ts";

/** What has to be known of a request to tell its cost. */
export type Priceable = Pick<AuditRecord, "type" | "timestamp" | "serviceTier" | "legs">;

/** What a request cost. */
export interface RecordPrice {
  /** Null when nothing was used, or when something used has no price. */
  readonly cost: AuditCost | null;
  /** The legs with what each of them added. */
  readonly legs: AuditLeg[];
  /** Whether something used has no price. */
  readonly unpriced: boolean;
}

/**
 * Prices a request by the tokens of its legs, failed ones included. A request of which one leg has no price has no
 * cost: a sum with a hole would look like one without.
 */
export function priceRecord(record: Priceable, book: PriceBook): RecordPrice {
  const at = Date.parse(record.timestamp);
  const plain = record.legs.map(withoutCost);
  // Counting tokens is free with every vendor.
  const used = record.type === "COUNT_TOKENS" ? [] : plain.filter(({ tokens }) => tokens !== null);
  if (used.length === 0) return { cost: null, legs: plain, unpriced: false };
  const last = plain.at(-1);
  const prices: FoundPrice[] = [];
  for (const leg of used) {
    const tier = leg === last ? record.serviceTier : null;
    const price = book.find(leg.provider, leg.model, tier, at);
    if (!price || prices.some(({ list }) => list.currency !== price.list.currency)) {
      return { cost: null, legs: plain, unpriced: true };
    }
    prices.push(price);
  }
  const costs = roundAmounts(
    used.map(({ tokens }, index) => amountsOf(tokens!, prices[index]!.entry)),
  );
  const { list } = prices.at(-1)!;
  return {
    cost: {
      currency: list.currency,
      priceListId: list.priceListId,
      priceVersion: String(list.version),
      ...addCosts(costs),
    },
    legs: plain.map((leg) => {
      const index = used.indexOf(leg);
      return index < 0 ? leg : { ...leg, cost: costs[index]! };
    }),
    unpriced: false,
  };
}

function withoutCost(leg: AuditLeg): AuditLeg {
  const { cost: _, ...rest } = leg;
  return rest;
}
