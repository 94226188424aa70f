import type { Allocation, PoolBounds, RecomputeInput } from "@vmx/core/contract";
import { reasonToStay, type Step, tellSteps } from "./reason.ts";
import { onePoint, wholeConnection } from "./units.ts";

/** A pool on its way from the stored share to the next one. */
export interface MovingPool extends PoolBounds {
  readonly before: number;
  current: number;
  lastGrowthAt: number;
  /** The share its demand asks for, whatever its bounds. */
  readonly wanted: number;
  readonly target: number;
  readonly demand: number;
  /** What happened to it, in order. */
  readonly steps: Step[];
}

/**
 * Moves every share toward its target, the share at which the pool's demand sits exactly on the threshold: what is
 * not used is released after the cooldown, then pools grow by rank from what is free and from those behind them.
 */
export function recompute(input: RecomputeInput): Allocation {
  const { state, parameters } = input;
  const pools = input.pools.map((bounds) => startOf(bounds, input));
  clampToBounds(pools);
  const cooldownMs = parameters.cooldownSeconds * 1000;
  for (const pool of pools) {
    if (pool.current - pool.target < onePoint) continue;
    if (state.now - pool.lastGrowthAt < cooldownMs) continue;
    pool.steps.push({ kind: "released", units: pool.current - pool.target });
    pool.current = pool.target;
  }
  let free = wholeConnection - sumOf(pools);
  const ranked = inOrder(pools);
  for (const pool of ranked) free = grow(pool, ranked, free, state.now);

  return {
    free,
    shares: pools.map((pool) => ({
      name: pool.name,
      current: pool.current,
      target: pool.target,
      lastGrowthAt: pool.lastGrowthAt,
      action: actionOf(pool),
      reason: pool.steps.length > 0
        ? tellSteps(pool, parameters)
        : reasonToStay(pool, { free, now: state.now, parameters }),
    })),
  };
}

function startOf(bounds: PoolBounds, { state, limit, parameters }: RecomputeInput): MovingPool {
  const stored = state.pools.find(({ name }) => name === bounds.name);
  const before = stored?.current ?? bounds.min;
  const demand = stored?.demand ?? 0;
  // Rounded up, so that the share never falls short of what it was computed for.
  const wanted = Math.ceil(
    (wholeConnection * 100 * demand) / (limit * parameters.scaleUpThresholdPercent),
  );
  return {
    ...bounds,
    before,
    current: before,
    lastGrowthAt: stored?.lastGrowthAt ?? 0,
    wanted,
    target: Math.min(Math.max(wanted, bounds.min), bounds.max),
    demand,
    steps: [],
  };
}

/** Follows a changed definition. Where the sum would exceed the whole, the lowest pools give first. */
function clampToBounds(pools: readonly MovingPool[]): void {
  for (const pool of pools) {
    const bounded = Math.min(Math.max(pool.current, pool.min), pool.max);
    if (bounded === pool.current) continue;
    const units = Math.abs(bounded - pool.current);
    pool.steps.push({ kind: bounded > pool.current ? "raised" : "lowered", units });
    pool.current = bounded;
  }
  let excess = sumOf(pools) - wholeConnection;
  for (const pool of inOrder(pools).reverse()) {
    const units = Math.min(excess, pool.current - pool.min);
    if (units <= 0) continue;
    pool.steps.push({ kind: "cut", units });
    pool.current -= units;
    excess -= units;
  }
}

/** Takes what the pool lacks from `free`, then from pools behind it, the last first. Answers what is free then. */
function grow(
  pool: MovingPool,
  ranked: readonly MovingPool[],
  free: number,
  now: number,
): number {
  let missing = pool.target - pool.current;
  if (missing <= 0) return free;
  const fromFree = Math.min(missing, free);
  missing -= fromFree;
  const givers: string[] = [];
  // Pools of equal rank take nothing from each other.
  for (const giver of ranked.filter(({ rank }) => rank > pool.rank).reverse()) {
    const units = Math.min(missing, giver.current - giver.min);
    if (units <= 0) continue;
    giver.current -= units;
    giver.steps.push({ kind: "gave", units, to: pool.name });
    givers.push(giver.name);
    missing -= units;
  }
  const units = pool.target - pool.current - missing;
  if (units === 0) return free;
  pool.current += units;
  pool.lastGrowthAt = now;
  pool.steps.push({ kind: "grew", units, missing, isFromFree: fromFree > 0, givers });
  return free - fromFree;
}

/** By rank; equal ranks in the order of the definition. */
function inOrder(pools: readonly MovingPool[]): MovingPool[] {
  return pools.toSorted((one, other) => one.rank - other.rank);
}

function sumOf(pools: readonly MovingPool[]): number {
  return pools.reduce((sum, { current }) => sum + current, 0);
}

function actionOf({ before, current }: MovingPool): "up" | "down" | "none" {
  if (current === before) return "none";
  return current > before ? "up" : "down";
}
