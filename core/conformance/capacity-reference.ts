import type { Amount, Meter, PoolBounds, ReserveRequest } from "../contract/capacity-store.ts";
import { calendarWindow } from "../kit/calendar-window.ts";

/** What one meter counts in one window. */
export interface ReferenceCount {
  readonly used: { requests: number; tokens: number };
  readonly reserved: { requests: number; tokens: number };
}

const lateMs = 3_600_000;

interface Held {
  readonly amount: Amount;
  readonly counts: readonly ReferenceCount[];
  readonly pool: { tokens: number } | undefined;
  readonly processId: string;
  readonly endsAt: number;
  /** Gone: settled or released for good. */
  state: "open" | "expired" | "gone";
  expiredAt: number;
}

/** A capacity store written for reading: no atomicity, no speed, no memory limits. */
export interface Reference {
  /** Whether the request is admitted; it is taken then. */
  reserve(request: ReserveRequest): boolean;
  close(reservationId: string, used: Amount): void;
  /** Answers how many were released. */
  expire(dead: readonly string[]): number;
  reset(meter: Meter): void;
  add(meter: Meter, used: Amount): void;
  count(meter: Meter): ReferenceCount;
  /** Share in units of 0.001 percent and tokens of this minute. */
  pool(bounds: PoolBounds): { current: number; tokens: number };
}

/** Creates an empty reference store that goes by the given clock. One environment, one connection with pools. */
export function createReference(now: () => number): Reference {
  const counts = new Map<string, ReferenceCount>();
  const held = new Map<string, Held>();
  const shares = new Map<string, number>();
  const poolUse = new Map<string, { tokens: number }>();

  const keyOf = ({ level, subjectId, period, dimension }: Meter): string =>
    JSON.stringify([level, subjectId, period, dimension, calendarWindow(period, now()).start]);
  const count = (meter: Meter): ReferenceCount => {
    const key = keyOf(meter);
    const found = counts.get(key) ??
      { used: { requests: 0, tokens: 0 }, reserved: { requests: 0, tokens: 0 } };
    counts.set(key, found);
    return found;
  };
  const useOf = (name: string): { tokens: number } => {
    const key = JSON.stringify([name, calendarWindow("minute", now()).start]);
    const found = poolUse.get(key) ?? { tokens: 0 };
    poolUse.set(key, found);
    return found;
  };
  const shift = (target: { requests: number; tokens: number }, by: Amount, sign: 1 | -1): void => {
    target.requests = Math.max(0, target.requests + sign * by.requests);
    target.tokens = Math.max(0, target.tokens + sign * by.tokens);
  };
  const giveBack = ({ counts, amount, pool }: Held): void => {
    for (const each of counts) {
      shift(each.used, amount, -1);
      shift(each.reserved, amount, -1);
    }
    if (pool) pool.tokens = Math.max(0, pool.tokens - amount.tokens);
  };

  return {
    count,
    pool: ({ name, min }) => ({ current: shares.get(name) ?? min, tokens: useOf(name).tokens }),
    reserve(request) {
      if (held.get(request.reservationId)?.state === "open") return true;
      const { amount, meters, pool: gate } = request;
      const fits = meters.every((meter) => {
        const { used } = count(meter);
        return used.requests + amount.requests <= (meter.limit.requests ?? Infinity) &&
          used.tokens + amount.tokens <= (meter.limit.tokens ?? Infinity);
      });
      let grown: number | undefined;
      let passes = true;
      if (gate) {
        const current = ({ name, min }: PoolBounds) => shares.get(name) ?? min;
        for (const pool of gate.pools) shares.set(pool.name, current(pool));
        const own = gate.pools.find(({ name }) => name === gate.pool);
        if (own) {
          // Thousandths of a percent of the limit, rounded up, without a rounding error on the way.
          const tokens = BigInt(useOf(own.name).tokens + amount.tokens) * 100_000n;
          const wanted = Number((tokens + BigInt(gate.limit) - 1n) / BigInt(gate.limit));
          const free = gate.pools.reduce((rest, pool) => rest - current(pool), 100_000);
          if (wanted > current(own)) {
            if (wanted <= own.max && wanted - current(own) <= free) grown = wanted;
            else passes = false;
          }
        }
        const others = gate.pools.filter(({ name }) => name !== gate.pool);
        const unused = others.reduce(
          (sum, { name, min }) =>
            sum + Math.max(0, gate.limit * min - useOf(name).tokens * 100_000),
          0,
        );
        const total = count(
          meters.find((meter) => meter.subjectId === gate.connectionId)!,
        ).used.tokens;
        if ((total + amount.tokens) * 100_000 + unused > gate.limit * 100_000) passes = false;
      }
      if (!fits || !passes) return false;
      if (grown !== undefined) shares.set(gate!.pool!, grown);
      const taken = meters.map(count);
      for (const each of taken) {
        shift(each.used, amount, 1);
        shift(each.reserved, amount, 1);
      }
      const pool = gate?.pool === undefined ? undefined : useOf(gate.pool);
      if (pool) pool.tokens += amount.tokens;
      const { processId, ttlMs } = request;
      const endsAt = now() + ttlMs;
      held.set(request.reservationId, {
        amount,
        counts: taken,
        pool,
        processId,
        endsAt,
        state: "open",
        expiredAt: 0,
      });
      return true;
    },
    close(reservationId, used) {
      const reservation = held.get(reservationId);
      if (!reservation || reservation.state === "gone") return;
      const { counts, amount, pool, state } = reservation;
      if (state === "expired" && now() - reservation.expiredAt >= lateMs) return;
      const back = state === "open" ? amount : { requests: 0, tokens: 0 };
      for (const each of counts) {
        // One difference, so that a counter another use has emptied is not emptied and filled again.
        shift(each.used, {
          requests: used.requests - back.requests,
          tokens: used.tokens - back.tokens,
        }, 1);
        shift(each.reserved, back, -1);
      }
      if (pool) pool.tokens = Math.max(0, pool.tokens + used.tokens - back.tokens);
      reservation.state = "gone";
    },
    expire(dead) {
      let released = 0;
      for (const reservation of held.values()) {
        const isOver = reservation.endsAt <= now() || dead.includes(reservation.processId);
        if (reservation.state !== "open" || !isOver) continue;
        giveBack(reservation);
        reservation.state = "expired";
        reservation.expiredAt = now();
        released++;
      }
      return released;
    },
    reset(meter) {
      for (const key of counts.keys()) {
        const [level, subjectId, period] = JSON.parse(key) as unknown[];
        if (level === meter.level && subjectId === meter.subjectId && period === meter.period) {
          counts.delete(key);
        }
      }
      if (meter.level === "connection" && meter.period === "minute") poolUse.clear();
    },
    add: (meter, used) => shift(count(meter).used, used, 1),
  };
}
