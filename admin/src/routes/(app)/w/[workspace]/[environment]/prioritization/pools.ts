import type { Pool } from "@vmx/sdk";

/** What is wrong with pools, by JSON pointer. The gateway checks the same. */
export function poolFaults(pools: readonly Pool[]): Readonly<Record<string, string>> {
  const faults: Record<string, string> = {};
  const names = new Map<string, number>();
  const owners = new Map<string, string>();
  pools.forEach(({ name, minReservation: min, maxReservation: max, resources }, index) => {
    const at = `/definition/${index}`;
    const known = name.trim().toLowerCase();
    if (!known) faults[`${at}/name`] = "needs a name";
    else if (names.has(known)) faults[`${at}/name`] = "is the name of a pool above";
    names.set(known, index);
    for (const [member, value] of [["minReservation", min], ["maxReservation", max]] as const) {
      if (!(value >= 0 && value <= 100)) faults[`${at}/${member}`] = "must be from 0 to 100 %";
    }
    if (min > max) faults[`${at}/minReservation`] = `is more than the maximum of ${max} %`;
    for (const id of resources) {
      const owner = owners.get(id);
      if (owner !== undefined) faults[`${at}/resources`] = `holds a resource of ${owner}`;
      owners.set(id, name);
    }
  });
  const sum = sumOfMinimums(pools);
  if (sum > 100) faults["/definition"] = `All minimums together are ${sum} %, more than there is`;
  return faults;
}

/** Percent that is promised to pools in any case. */
export function sumOfMinimums(pools: readonly Pool[]): number {
  return Math.round(pools.reduce((sum, pool) => sum + (pool.minReservation || 0), 0) * 1000) / 1000;
}

/** Pools in the order in which they are served. */
export function byRank(pools: readonly Pool[]): Pool[] {
  return pools.toSorted((a, b) => a.rank - b.rank);
}

/** Ranks that follow the order. */
export function renumbered(pools: readonly Pool[]): Pool[] {
  return pools.map((pool, rank) => ({ ...pool, rank }));
}
