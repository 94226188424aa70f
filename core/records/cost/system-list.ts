import { createHash } from "node:crypto";
import type { PriceEntry, PriceList } from "@vmx/schemas";
import type { PluginHost } from "../../host/plugin-host.ts";

/**
 * The price list shipped with the release: what the plugins of providers know of their models' prices. Its id
 * follows from its entries and its version is the newest day in it, so that every process of a release has the same.
 */
export function systemList(host: Pick<PluginHost, "contributions">): PriceList {
  const entries: PriceEntry[] = host.contributions("providers").flatMap(({ id, prices = [] }) =>
    prices.map((price) => ({ provider: id, ...price }))
  );
  const digest = createHash("sha256").update(JSON.stringify(entries)).digest("hex");
  const day = entries.map(({ checkedOn }) => checkedOn ?? "").sort().at(-1) || "2026-01-01";
  return {
    priceListId: asUuid(digest),
    version: Number(day.replaceAll("-", "")),
    source: "SYSTEM",
    effectiveFrom: `${day}T00:00:00.000Z`,
    currency: "USD",
    createdAt: null,
    createdBy: null,
    entries,
  };
}

/** A UUID of version 8 (RFC 9562), which is made of what one likes. */
function asUuid(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
