import type { JsonObject } from "@vmx/core/contract";

/** The version the vendor's SDK sends. A test holds it to the SDK. */
export const currentVersion = "2026-10-21";

/** The last version that takes sampling parameters. */
const samplingVersion = "2023-06-01";

/** Parameters the current version refuses even at their defaults ("Migrating to API version 2026-10-21"). */
export const samplingParameters = ["temperature", "top_p", "top_k"] as const;

/**
 * The version a body is written for, where its caller names none. Both versions answer alike, so a body keeps its
 * sampling by naming the older one. The SDK's types know no sampling, so it never has to choose.
 */
export function versionOf(body: JsonObject): string {
  const samples = samplingParameters.some((name) => body[name] !== undefined);
  return samples ? samplingVersion : currentVersion;
}
