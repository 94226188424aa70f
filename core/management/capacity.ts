import type { Capacity } from "@vmx/schemas";
import { type Fault, GatewayError } from "../contract/errors.ts";

/**
 * Checks what the schema cannot say about capacity limits and answers them with every member filled in.
 *
 * Throws `VALIDATION_FAILED` with one fault per broken rule.
 */
export function completeCapacity(entries: readonly Capacity[], path = "/capacity"): Capacity[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const complete = entries.map((entry, index) => {
    const at = `${path}/${index}`;
    const { period, requests = null, tokens = null, enabled = true } = entry;
    const dimension = entry.dimension ?? null;
    const dimensionField = entry.dimensionField ?? null;
    if (enabled && requests === null && tokens === null) {
      faults.push({
        path: at,
        code: "required",
        message: "must limit requests or tokens; null means no limit",
      });
    }
    if ((dimension === "metadata") !== (dimensionField !== null)) {
      faults.push({
        path: `${at}/dimensionField`,
        code: "dependency",
        message: "is required with dimension `metadata` and not allowed otherwise",
      });
    }
    const key = JSON.stringify([period, dimension, dimensionField]);
    if (seen.has(key)) {
      faults.push({
        path: at,
        code: "unique",
        message: "repeats the period and dimension of an entry before",
      });
    }
    seen.add(key);
    return { period, requests, tokens, enabled, dimension, dimensionField };
  });
  if (faults.length === 0) return complete;
  throw new GatewayError(
    "VALIDATION_FAILED",
    `Cannot accept the capacity: entry ${faults[0]!.path.split("/").pop()} ${faults[0]!.message}`,
    { faults },
  );
}
