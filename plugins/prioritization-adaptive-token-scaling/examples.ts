import type { PoolBounds, PoolShare, PoolState, RecomputeInput } from "@vmx/core/contract";

/** Settings every environment starts with. */
export const defaults = { windowSeconds: 30, scaleUpThresholdPercent: 50, cooldownSeconds: 5 };

/** Bounds from percent, in the order name, rank, minimum, maximum. */
export function pool(name: string, rank: number, min: number, max: number): PoolBounds {
  return { name, rank, min: min * 1000, max: max * 1000 };
}

/** A state from shares in percent with the demand of each pool. */
export function stateOf(
  now: number,
  pools: readonly (Partial<PoolShare> & Pick<PoolShare, "name" | "current">)[],
): PoolState {
  return {
    version: 1,
    now,
    unassignedUsed: 0,
    pools: pools.map((share) => ({
      lastGrowthAt: 0,
      usedThisMinute: 0,
      deniedThisMinute: 0,
      demand: 0,
      ...share,
      current: Math.round(share.current * 1000),
    })),
  };
}

/** An input with the default settings. */
export function inputOf(
  pools: readonly PoolBounds[],
  state: PoolState,
  limit = 100_000,
  parameters: Partial<RecomputeInput["parameters"]> = {},
): RecomputeInput {
  return { pools, state, limit, parameters: { ...defaults, ...parameters } };
}
