/**
 * Keeps meters and pool shares. One store call is one atomic step: all meters of a leg are checked and taken, or
 * none. Amounts are whole requests and whole tokens. Windows follow the store's own clock.
 * Calls reject with any error when the store cannot answer; deadlines and the breaker around them belong to core.
 */
export interface CapacityStore {
  /** True when several processes see the same meters. */
  readonly shared: boolean;
  /**
   * Checks every meter of a leg, the pool's gate rules included, and adds to all of them or to none. A reservation
   * that is open already is admitted without being taken again.
   * Rejects with a RangeError when an amount or a limit is no whole number from 0 to 2^53 - 1.
   */
  reserve(request: ReserveRequest): Promise<ReserveReply>;
  /**
   * Charges real usage to the windows the reservation was made in, ended or not. The first settle or release of a
   * reservation takes effect, no other; a settle up to an hour after the expiry charges the usage again.
   */
  settle(environmentId: string, reservationId: string, used: Amount): Promise<void>;
  /** Returns a reservation whole; see `settle`. An unknown one is no error. */
  release(environmentId: string, reservationId: string): Promise<void>;
  /**
   * Releases the environment's reservations past their expiry, and all of the named dead processes; answers how
   * many. To be called every few seconds by any process.
   */
  expire(environmentId: string, deadProcesses: readonly string[]): Promise<number>;
  /** Present state of meters, in the order asked for. */
  read(environmentId: string, meters: readonly MeterKey[]): Promise<readonly MeterState[]>;
  /**
   * Present state of the fullest values of a dimensioned entry, most tokens first, then most requests. Values past
   * the first 10,000 of a window share the value `other`.
   */
  top(
    environmentId: string,
    entry: DimensionedEntry,
    count: number,
  ): Promise<readonly MeterState[]>;
  /** Counts use that was admitted elsewhere. Counters whose window has ended are ignored. */
  add(environmentId: string, counters: readonly Counter[]): Promise<void>;
  /**
   * Present counters of hour and longer windows; undefined when the store began empty and `restore` has not been
   * called since, so that a copy is never replaced by less than it holds.
   */
  dump(environmentId: string): Promise<readonly Counter[] | undefined>;
  /**
   * Adds copied counters to what has been counted since a store began empty. The first call takes effect, no other;
   * answers whether it did.
   */
  restore(environmentId: string, counters: readonly Counter[]): Promise<boolean>;
  /** Forgets the counters of one subject and period with all dimension values; open reservations leave it alone. */
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

/** Names all meters of one entry that is split by a dimension. */
export interface DimensionedEntry extends Pick<MeterKey, "level" | "subjectId" | "period"> {
  readonly dimensionName: string;
}

/** Use of one meter in one window. */
export interface Counter extends MeterKey {
  /** Unix milliseconds; 0 for a lifetime. */
  readonly windowStart: number;
  /** What is reserved is included. */
  readonly used: Amount;
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

/**
 * What the gate rules of prioritization need. The connection's minute meter without a dimension must be among the
 * request's meters: its tokens are the connection's total.
 */
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

/**
 * Admitted, or the list of all that refused it; nothing was taken in the second case. The states are those after
 * the step, in the order of the request's meters.
 */
export type ReserveReply =
  | { readonly admitted: true; readonly meters: readonly MeterState[] }
  | {
    readonly admitted: false;
    readonly refused: readonly Refusal[];
    readonly meters: readonly MeterState[];
  };

/** One reason for a refusal: an axis of a meter, or a rule of the pool gate. */
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
    /** Undefined for traffic of no pool, whose `current`, `min`, `max` and `used` are 0. */
    readonly pool: string | undefined;
    /** Shares in units of 0.001 percent. */
    readonly current: number;
    readonly min: number;
    readonly max: number;
    /** Tokens of the pool in this minute. */
    readonly used: number;
    readonly others: readonly (Pick<PoolShare, "name" | "current"> & {
      readonly min: number;
      readonly max: number;
    })[];
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
