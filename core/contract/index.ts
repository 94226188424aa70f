/** What plugins and core promise each other: types, the error table, `definePlugin`. Imports nothing but itself. */
export type * from "./json.ts";
export * from "./errors.ts";
export * from "./call.ts";
export * from "./part.ts";
export * from "./warning.ts";
export * from "./dialect.ts";
export * from "./provider.ts";
export * from "./capacity-store.ts";
export * from "./shared-state.ts";
export * from "./prioritization.ts";
export * from "./encryption.ts";
export * from "./routing.ts";
export * from "./metric-sink.ts";
export * from "./telemetry.ts";
export * from "./identity-provider.ts";
export * from "./interceptor.ts";
export * from "./plugin.ts";
