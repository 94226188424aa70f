/**
 * Keeps meters and pool shares. One store call is one atomic step: all meters of a leg are checked and taken, or
 * none. Amounts are whole requests and whole tokens. Windows follow the store's own clock.
 * Calls reject with any error when the store cannot answer; deadlines and the breaker around them belong to core.
 */
export interface CapacityStore {
  /** True when several processes see the same meters. */
  readonly shared: boolean;
  /** Checks every meter of a leg, the pool's gate rules included, and adds to all of them or to none. */
  reserve(request: ReserveRequest): Promise<ReserveReply>;
  /** Charges real usage to the windows the reservation was made in. Takes effect once per reservation. */
  settle(reservationId: string, used: Amount): Promise<void>;
  /** Returns a reservation whole. Takes effect once per reservation. */
  release(reservationId: string): Promise<void>;
  /** Releases reservations past their expiry, and all of the named dead processes; answers how many. */
  expire(environmentId: string, deadProcesses: readonly string[]): Promise<number>;
  /** Present state of meters, in the order asked for. */
  read(environmentId: string, meters: readonly MeterKey[]): Promise<readonly MeterState[]>;
  /** Forgets the counters of one subject and period. */
  reset(
    environmentId: string,
    meter: Pick<MeterKey, "level" | "subjectId" | "period">,
  ): Promise<void>;
  /**
   * Pool shares of a connection with their demand over the last `windowSeconds` (1 to 300); undefined before the
   * first reservation or share.
   */
  readPools(
    environmentId: string,
    connectionId: string,
    windowSeconds: number,
  ): Promise<PoolState | undefined>;
  /**
   * Stores shares in place of all those there were, if the version is still the one read (0 when nothing was);
   * answers whether it was.
   */
  casShares(change: SharesChange): Promise<boolean>;
  /** Adds counts to a tally of named classes per minute. */
  tally(
    environmentId: string,
    name: string,
    counts: Readonly<Record<string, number>>,
  ): Promise<void>;
  /** Sums of a tally over the current and the previous minutes. */
  readTally(
    environmentId: string,
    name: string,
    minutes: number,
  ): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** A length of a meter's window. Calendar windows in UTC; weeks begin on Monday. */
export type Period = "minute" | "hour" | "day" | "week" | "month" | "lifetime";

/** Whose use a meter counts. */
export type MeterLevel = "connection" | "resource" | "api-key" | "batch" | "pool";

/** Requests and tokens. */
export interface Amount {
  readonly requests: number;
  readonly tokens: number;
}

/** Names one meter within an environment; its window follows from the clock. */
export interface MeterKey {
  readonly level: MeterLevel;
  readonly subjectId: string;
  readonly period: Period;
  /** Set when the meter is split by a dimension's value. */
  readonly dimension?: { readonly name: string; readonly value: string };
}

/** A meter with its limits; null means no limit on that axis. */
export interface Meter extends MeterKey {
  readonly limit: { readonly requests: number | null; readonly tokens: number | null };
}

/** See `CapacityStore.reserve`. */
export interface ReserveRequest {
  readonly environmentId: string;
  readonly reservationId: string;
  /** The process that holds the reservation, so that it can be released when the process dies. */
  readonly processId: string;
  /** Milliseconds the reservation lives at most. */
  readonly ttlMs: number;
  readonly amount: Amount;
  readonly meters: readonly Meter[];
  readonly pool?: PoolGate;
}

/** What the gate rules of prioritization need (capacity-and-prioritization.md §7.3). */
export interface PoolGate {
  readonly connectionId: string;
  /** Tokens per minute of the connection. */
  readonly limit: number;
  /** The pool of the request's resource; undefined for unassigned traffic. */
  readonly pool: string | undefined;
  readonly pools: readonly PoolBounds[];
}

/** Bounds of one pool in units of 0.001 percent. A pool without a stored share has `min`. */
export interface PoolBounds {
  readonly name: string;
  readonly rank: number;
  readonly min: number;
  readonly max: number;
}

/** Admitted, or the list of what refused it. Nothing was taken in the second case. */
export type ReserveReply =
  | { readonly admitted: true; readonly meters: readonly MeterState[] }
  | {
    readonly admitted: false;
    readonly refused: readonly Refusal[];
    readonly meters: readonly MeterState[];
  };

/** One reason for a refusal. */
export type Refusal =
  | {
    readonly gate: "capacity";
    readonly meter: Meter;
    readonly axis: "requests" | "tokens";
    readonly used: number;
    readonly resetAt: number | null;
  }
  | {
    readonly gate: "prioritization";
    readonly rule: "share" | "maximum" | "protected-minimum";
    readonly pool: string | undefined;
    readonly current: number;
    readonly used: number;
  };

/** A meter's figures; `used` includes what is reserved. Times are Unix milliseconds. */
export interface MeterState extends MeterKey {
  readonly used: Amount;
  readonly reserved: Amount;
  readonly denied: number;
  readonly windowStart: number;
  readonly resetAt: number | null;
}

/** Shares of one connection's pools. */
export interface PoolState {
  /** Moves with every change of a share, whether by a gate or by `casShares`. */
  readonly version: number;
  /** Unix milliseconds of the store's clock. */
  readonly now: number;
  readonly unassignedUsed: number;
  readonly pools: readonly PoolShare[];
}

/** One pool's share and figures; shares in units of 0.001 percent. */
export interface PoolShare {
  readonly name: string;
  readonly current: number;
  /** Unix milliseconds of the last growth, by a gate or by a recomputation; 0 for none. */
  readonly lastGrowthAt: number;
  /** The last move a recomputation made; kept as it was given. A later `lastGrowthAt` is a gate's. */
  readonly lastMove?: ShareMove | undefined;
  readonly usedThisMinute: number;
  readonly deniedThisMinute: number;
  /** Tokens of the last `windowSeconds`: settled, reserved and refused for lack of share. */
  readonly demand: number;
}

/** How and why a recomputation moved a share. */
export interface ShareMove {
  readonly action: "up" | "down";
  /** A sentence for people. */
  readonly reason: string;
  /** Unix milliseconds of the store's clock. */
  readonly at: number;
}

/** See `CapacityStore.casShares`. */
export interface SharesChange {
  readonly environmentId: string;
  readonly connectionId: string;
  readonly version: number;
  readonly shares: readonly Pick<PoolShare, "name" | "current" | "lastGrowthAt" | "lastMove">[];
}
