import type { BodyOf } from "@vmx/sdk";

/** Prices as the gateway takes them: entries, or a table. */
export type GivenPrices = Pick<BodyOf<"createPriceList">, "entries" | "csv" | "currency">;

/**
 * Reads what somebody pastes: JSON is a list of entries or a document with `entries`, everything else is a table.
 *
 * Throws a SyntaxError for broken JSON and a TypeError for JSON that holds no entries.
 */
export function readPrices(text: string): GivenPrices {
  if (!/^\s*[[{]/.test(text)) return { csv: text };
  const value = JSON.parse(text) as unknown;
  const document = Array.isArray(value) ? { entries: value } : value as Record<string, unknown>;
  if (!Array.isArray(document["entries"])) {
    throw new TypeError("The JSON has no list named entries");
  }
  // What is in them is checked by the gateway, which names the faults.
  const entries = document["entries"] as NonNullable<GivenPrices["entries"]>;
  const { currency } = document as { currency?: string };
  return { entries, ...(typeof currency === "string" ? { currency } : {}) };
}
