/** Requirements of the contracts as plain cases, for Vitest, `deno test` and any other runner. */
export * from "./capacity-sequences.ts";
export * from "./capacity-stores.ts";
export * from "./case.ts";
export * from "./dialects.ts";
export * from "./encryptions.ts";
export * from "./fake-upstream.ts";
export * from "./metric-sinks.ts";
export * from "./prioritizations.ts";
export * from "./providers.ts";
export * from "./routings.ts";
export * from "./shared-states.ts";
