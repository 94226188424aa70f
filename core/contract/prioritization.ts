import type { PoolBounds, PoolState } from "./capacity-store.ts";

/** Decides how a connection's shares move. A pure function: the gate rules are the capacity store's business. */
export interface Prioritization {
  recompute(input: RecomputeInput): Allocation;
}

/** What a recomputation sees. */
export interface RecomputeInput {
  readonly pools: readonly PoolBounds[];
  readonly state: PoolState;
  /** Tokens per minute of the connection. */
  readonly limit: number;
  readonly parameters: {
    readonly windowSeconds: number;
    readonly scaleUpThresholdPercent: number;
    readonly cooldownSeconds: number;
  };
}

/** New shares in units of 0.001 percent, each with its reason as a sentence. */
export interface Allocation {
  readonly shares: readonly {
    readonly name: string;
    readonly current: number;
    readonly target: number;
    readonly lastGrowthAt: number;
    readonly action: "up" | "down" | "none";
    readonly reason: string;
  }[];
  readonly free: number;
}
