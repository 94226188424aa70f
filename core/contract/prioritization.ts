import type { PoolBounds, PoolState } from "./capacity-store.ts";

/** Decides how a connection's shares move. A pure function: the gate rules are the capacity store's business. */
export interface Prioritization {
  /** Answers the next shares: one per pool of the input and in its order, whatever the state still holds. */
  recompute(input: RecomputeInput): Allocation;
}

/** What a recomputation sees. */
export interface RecomputeInput {
  /** The pools as they are defined now, in the order of the definition. */
  readonly pools: readonly PoolBounds[];
  /** The stored shares. Pools may be missing in it, be too many, or lie outside their present bounds. */
  readonly state: PoolState;
  /** Tokens per minute of the connection. */
  readonly limit: number;
  readonly parameters: PrioritizationParameters;
}

/** Settings of an environment's prioritization. */
export interface PrioritizationParameters {
  /** Seconds over which demand is counted. */
  readonly windowSeconds: number;
  /** The part of its share a pool uses in the window when it is on its threshold. */
  readonly scaleUpThresholdPercent: number;
  /** Seconds a pool keeps its share after it grew. */
  readonly cooldownSeconds: number;
}

/** New shares in units of 0.001 percent. */
export interface Allocation {
  readonly shares: readonly AllocatedShare[];
  /** What no pool holds. */
  readonly free: number;
}

/** One pool's next share. */
export interface AllocatedShare {
  readonly name: string;
  readonly current: number;
  /** The share its demand asks for, within its bounds. */
  readonly target: number;
  /** Unix milliseconds of the store's clock; 0 for never. */
  readonly lastGrowthAt: number;
  readonly action: "up" | "down" | "none";
  /** Why the share moved, or why it did not, as a sentence. */
  readonly reason: string;
}
