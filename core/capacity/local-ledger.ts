import type {
  Amount,
  Counter,
  Meter,
  MeterKey,
  MeterState,
  PoolGate,
  Refusal,
} from "../contract/index.ts";
import { calendarWindow } from "../kit/calendar-window.ts";
import { createLocalPools, type KnownShares } from "./local-pools.ts";
import { meterName } from "./meter-key.ts";

/** Counts use while the store is away, and remembers what the store has to be told when it is back. */
export interface LocalLedger {
  /** Takes an amount from every meter or from none. */
  take(request: LocalRequest): LocalTake;
  /** Use the store does not know yet, by environment; it counts as known from now on. */
  drain(): ReadonlyMap<string, readonly Counter[]>;
  /** Puts back what could not be told. */
  putBack(environmentId: string, counters: readonly Counter[]): void;
  /** Whether there is use the store does not know. */
  isEmpty(): boolean;
}

/** See `LocalLedger.take`. */
export interface LocalRequest {
  readonly environmentId: string;
  readonly meters: readonly Meter[];
  readonly amount: Amount;
  readonly pool?: PoolGate | undefined;
  /** The shares of the connection's pools the process heard of last. */
  readonly lastShares: (connectionId: string) => KnownShares | undefined;
  /** Processes that share the limits; each keeps its part. */
  readonly replicas: number;
  /** False counts without limiting. */
  readonly enforced: boolean;
  /** The state of a meter the process saw last. */
  readonly lastSeen: (meter: MeterKey) => MeterState | undefined;
}

/** An amount taken, to be settled once, or the meters that refused it. */
export type LocalTake =
  | { readonly refused: readonly Refusal[] }
  | {
    readonly refused: undefined;
    /** Charges what was really used; nothing for a leg that failed. */
    settle(used: Amount): void;
  };

interface LocalMeter {
  readonly key: MeterKey;
  readonly windowStart: number;
  readonly resetAt: number | null;
  /** The store's state it began from: when the store has told a newer one, the count begins anew. */
  readonly seed: MeterState | undefined;
  requests: number;
  tokens: number;
}

/** Meters kept at most; the oldest give way. */
const maxMeters = 50_000;

/**
 * Creates an empty ledger.
 *
 * @param now Unix milliseconds of this process, which stands in for the store's clock
 */
export function createLocalLedger(now: () => number): LocalLedger {
  const meters = new Map<string, LocalMeter>();
  const untold = new Map<string, Map<string, Counter>>();
  const pools = createLocalPools(now);

  function meterOf(meter: Meter, request: LocalRequest): LocalMeter {
    const { start, end } = calendarWindow(meter.period, now());
    const name = meterName(request.environmentId, meter);
    const known = meters.get(name);
    const seen = request.lastSeen(meter);
    if (known?.windowStart === start && known.seed === seen) return known;
    const current = seen?.windowStart === start ? seen.used : noUse;
    const local: LocalMeter = {
      key: meter,
      windowStart: start,
      resetAt: end,
      seed: seen,
      requests: Math.floor(current.requests / request.replicas),
      tokens: Math.floor(current.tokens / request.replicas),
    };
    meters.delete(name);
    if (meters.size >= maxMeters) meters.delete(meters.keys().next().value!);
    meters.set(name, local);
    return local;
  }

  function note(
    environmentId: string,
    { key, windowStart }: Pick<LocalMeter, "key" | "windowStart">,
    amount: Amount,
  ): void {
    const { level, subjectId, period, dimension } = key;
    let known = untold.get(environmentId);
    if (!known) untold.set(environmentId, known = new Map());
    const name = `${meterName(environmentId, key)} ${windowStart}`;
    const before = known.get(name)?.used ?? noUse;
    if (known.size >= maxMeters) known.delete(known.keys().next().value!);
    known.set(name, {
      level,
      subjectId,
      period,
      ...(dimension ? { dimension } : {}),
      windowStart,
      used: plus(before, amount),
    });
  }

  /** The gate's rules on this process's part of the connection's limit. */
  function passPools(
    { pool, amount, replicas, lastShares }: LocalRequest,
    own: readonly { readonly meter: Meter; readonly local: LocalMeter }[],
  ) {
    const total = pool &&
      own.find(({ meter }) =>
        meter.level === "connection" && meter.period === "minute" && !meter.dimension
      );
    if (!total) return undefined;
    const gate = { ...pool, limit: part(pool.limit, replicas) };
    return pools.pass(gate, amount.tokens, total.local.tokens, lastShares(pool.connectionId));
  }

  return {
    take(request) {
      const { environmentId, amount } = request;
      const own = request.meters.map((meter) => ({ meter, local: meterOf(meter, request) }));
      const passage = passPools(request, own);
      if (request.enforced) {
        const refused = own.flatMap(({ meter, local }) =>
          failing(share(meter, request.replicas), local, amount)
        ).concat(passage?.refused ?? []);
        if (refused.length > 0) return { refused };
      }
      const count = (change: Amount) => {
        for (const { local } of own) {
          local.requests = Math.max(0, local.requests + change.requests);
          local.tokens = Math.max(0, local.tokens + change.tokens);
        }
      };
      count(amount);
      const countInPool = passage?.take();
      let settled = false;
      return {
        refused: undefined,
        settle(used) {
          if (settled) return;
          settled = true;
          count({ requests: used.requests - amount.requests, tokens: used.tokens - amount.tokens });
          countInPool?.(used.tokens - amount.tokens);
          if (used.requests === 0 && used.tokens === 0) return;
          for (const { local } of own) note(environmentId, local, used);
        },
      };
    },
    drain() {
      const all = new Map(
        [...untold].map(([environmentId, counters]) =>
          [environmentId, [...counters.values()]] as const
        ),
      );
      untold.clear();
      return all;
    },
    putBack(environmentId, counters) {
      for (const { windowStart, used, ...key } of counters) {
        note(environmentId, { key, windowStart }, used);
      }
    },
    isEmpty: () => untold.size === 0,
  };
}

const noUse: Amount = { requests: 0, tokens: 0 };

function plus(a: Amount, b: Amount): Amount {
  return { requests: a.requests + b.requests, tokens: a.tokens + b.tokens };
}

/** The part of a limit one of several processes keeps: rounded down, at least 1. */
function share(meter: Meter, replicas: number): Meter {
  const { requests, tokens } = meter.limit;
  const partOf = (limit: number | null) => limit === null ? null : part(limit, replicas);
  return { ...meter, limit: { requests: partOf(requests), tokens: partOf(tokens) } };
}

function part(limit: number, replicas: number): number {
  return Math.max(1, Math.floor(limit / replicas));
}

function failing(meter: Meter, local: LocalMeter, amount: Amount): Refusal[] {
  return (["requests", "tokens"] as const).flatMap((axis): Refusal[] => {
    const limit = meter.limit[axis];
    if (limit === null || local[axis] + amount[axis] <= limit) return [];
    return [{ gate: "capacity", meter, axis, used: local[axis], resetAt: local.resetAt }];
  });
}
