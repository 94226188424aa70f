import type { PoolBounds, PoolShare } from "../contract/capacity-store.ts";
import { unitsPerPercent } from "./pool-gate.ts";

/** A whole connection in the units shares are stored in. */
export const wholeConnection = 100 * unitsPerPercent;

/** Breaches of the allocation law that can be seen in the shares alone, as sentences; empty when there are none. */
export function lawFaults(
  bounds: readonly PoolBounds[],
  shares: readonly Pick<PoolShare, "name" | "current">[],
): string[] {
  const faults: string[] = [];
  const known = new Map(shares.map((share) => [share.name, share.current]));
  let sum = 0;
  for (const { name, min, max } of bounds) {
    const current = known.get(name) ?? min;
    sum += current;
    if (Number.isInteger(current) && current >= min && current <= max) continue;
    faults.push(
      `pool "${name}" has ${percent(current)} %, not ${percent(min)} to ${percent(max)} %`,
    );
  }
  if (sum > wholeConnection) faults.push(`the shares come to ${percent(sum)} %`);
  return faults;
}

/** A share as people read it. */
export function percent(units: number): number {
  return units / unitsPerPercent;
}
