import type { PriceEntry } from "@vmx/schemas";
import { matchesWildcard } from "../../kit/index.ts";

/** Finds the prices of a model in the entries of one list. */
export type PriceTable = (
  provider: string,
  model: string,
  serviceTier: string | null,
) => PriceEntry | undefined;

const maxRemembered = 2_000;

/**
 * Prepares entries for being looked up. The most specific one wins: an exact model before a pattern, a longer
 * pattern before a shorter one, then an entry for the service tier before one for all, then a named provider before
 * a pattern; of equals the first.
 */
export function createPriceTable(entries: readonly PriceEntry[]): PriceTable {
  const ordered = entries
    .map((entry) => ({ entry, rank: rankOf(entry) }))
    .sort((a, b) => compareRanks(b.rank, a.rank))
    .map(({ entry }) => entry);
  // Models are few and patterns many: what was found once is remembered.
  const found = new Map<string, PriceEntry | undefined>();
  return (provider, model, serviceTier) => {
    const key = `${provider}\n${model}\n${serviceTier ?? ""}`;
    if (found.has(key)) return found.get(key);
    const entry = ordered.find((candidate) =>
      matchesWildcard(candidate.provider, provider) && matchesWildcard(candidate.model, model) &&
      (candidate.serviceTier === undefined ||
        serviceTier !== null && matchesWildcard(candidate.serviceTier, serviceTier))
    );
    if (found.size >= maxRemembered) found.clear();
    found.set(key, entry);
    return entry;
  };
}

function rankOf({ provider, model, serviceTier }: PriceEntry): number[] {
  return [
    isExact(model) ? 1 : 0,
    literalLength(model),
    serviceTier === undefined ? 0 : 1,
    isExact(provider) ? 1 : 0,
    literalLength(provider),
  ];
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((rank, at) => rank !== other[at]);
  return index < 0 ? 0 : one[index]! - other[index]!;
}

function isExact(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

function literalLength(pattern: string): number {
  return pattern.replace(/[*?]/g, "").length;
}
