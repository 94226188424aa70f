/** Routing rules: from what people write to a decision with its reasons. Pure functions; no I/O. */
export * from "./budget.ts";
export * from "./compile-routing.ts";
export * from "./evaluate-routing.ts";
export * from "./exchange-samples.ts";
export type * from "./live-functions.ts";
export * from "./live-samples.ts";
export * from "./normalise-routing.ts";
export * from "./routing-facts.ts";
