import type { AuditTokens, LegCost, PriceEntry } from "@vmx/schemas";

/** Amounts by class, in parts of which 4 000 make a nano-unit: every price and every default is a whole number. */
export type Amounts = Readonly<Record<keyof Omit<LegCost, "total">, bigint>>;

/** Parts of a nano-unit. Prices are micro-units per million tokens (1 / 1 000 nano-unit), 1.25 needs the 4. */
const partsPerNano = 4_000n;
const partsPerFee = 4_000_000n;

/** The classes of a cost. */
export const costClasses = [
  "inputUncached",
  "inputCacheRead",
  "cacheWrite",
  "output",
  "reasoning",
  "audio",
  "requests",
] as const satisfies readonly (keyof Amounts)[];

/** What tokens cost at the prices of an entry, exactly. Classes that were not reported cost nothing. */
export function amountsOf(tokens: AuditTokens, entry: PriceEntry): Amounts {
  const { pricePerMillion: price } = entry;
  const input = price.inputUncached;
  const searches = fee(tokens.webSearchRequests, entry.pricePerWebSearch);
  return {
    inputUncached: parts(tokens.inputUncached, input),
    inputCacheRead: parts(tokens.inputCacheRead, price.inputCacheRead ?? input),
    cacheWrite:
      (price.inputCacheWrite5m === undefined
        ? parts(tokens.inputCacheWrite5m, input, 5n)
        : parts(tokens.inputCacheWrite5m, price.inputCacheWrite5m)) +
      parts(tokens.inputCacheWrite1h, price.inputCacheWrite1h ?? 2 * input),
    output: parts(tokens.output, price.output),
    reasoning: parts(tokens.reasoning, price.reasoning ?? price.output),
    audio: parts(tokens.audioInput, price.audioInput ?? input) +
      parts(tokens.audioOutput, price.audioOutput ?? price.output),
    requests: fee(1, entry.pricePerRequest) + searches,
  };
}

/**
 * Turns the exact amounts of legs into whole nano-units. Each class and the total are rounded half up once, over all
 * legs; each leg is given what it adds to the rounded sum, so that the legs add up to it.
 */
export function roundAmounts(legs: readonly Amounts[]): LegCost[] {
  const members = [...costClasses, "total"] as const;
  const sums = new Map<string, bigint>();
  return legs.map((amounts) => {
    const cost = {} as Record<keyof LegCost, number>;
    for (const member of members) {
      const before = sums.get(member) ?? 0n;
      const after = before + (member === "total" ? totalOf(amounts) : amounts[member]);
      sums.set(member, after);
      cost[member] = Number(halfUp(after) - halfUp(before));
    }
    return cost;
  });
}

/** Adds the costs of legs. */
export function addCosts(costs: readonly LegCost[]): LegCost {
  const sum = { total: 0 } as Record<keyof LegCost, number>;
  for (const member of [...costClasses, "total"] as const) {
    sum[member] = costs.reduce((total, cost) => total + cost[member], 0);
  }
  return sum;
}

function totalOf(amounts: Amounts): bigint {
  return costClasses.reduce((total, member) => total + amounts[member], 0n);
}

function parts(tokens: number | null, price: number, factor = 4n): bigint {
  return tokens ? BigInt(tokens) * BigInt(price) * factor : 0n;
}

function fee(count: number | null, price: number | undefined): bigint {
  return count && price ? BigInt(count) * BigInt(price) * partsPerFee : 0n;
}

function halfUp(amount: bigint): bigint {
  return (amount + partsPerNano / 2n) / partsPerNano;
}
