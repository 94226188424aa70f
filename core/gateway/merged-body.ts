import type { JsonObject } from "../contract/index.ts";
import { mergeObjects } from "../kit/index.ts";
import type { Envelope } from "./envelope.ts";

/**
 * The caller's body with `defaultArgs` under and `providerArgs` over it, and without its envelope: what rules,
 * estimates, the dry run and audit see.
 */
export function mergedBody(
  body: JsonObject,
  defaultArgs: JsonObject | null,
  { providerArgs }: Pick<Envelope, "providerArgs">,
): JsonObject {
  const { vmx: _, ...own } = body;
  return defaultArgs || providerArgs ? mergeObjects(defaultArgs, own, providerArgs) : own;
}
