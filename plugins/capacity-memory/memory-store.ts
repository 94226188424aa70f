import type {
  Amount,
  CapacityStore,
  Clock,
  Counter,
  Meter,
  MeterKey,
  MeterState,
  Refusal,
  ReserveReply,
  ReserveRequest,
} from "@vmx/core/contract";
import { checkAmount, checkReservation, totalMeterOf } from "@vmx/core/kit";
import {
  type Count,
  type Counters,
  countOf,
  createCounters,
  type Entry,
  findCount,
  fullest,
  isShared,
  otherValue,
} from "./counters.ts";
import { createPoolBook, type PoolBook, type PoolReservation } from "./pool-book.ts";

/** How long a settle may come after the expiry. */
const lateMs = 3_600_000;
/** Subjects looked at for every reservation: more than one, so that the sweep outruns what is added. */
const sweepSteps = 2;

interface Reservation {
  readonly processId: string;
  readonly endsAt: number;
  readonly amount: Amount;
  readonly counts: readonly Count[];
  readonly pool: PoolReservation | undefined;
}

interface Environment {
  readonly counters: Counters;
  readonly open: Map<string, Reservation>;
  /** Expired reservations, in the order of their expiry. */
  readonly late: Map<string, { readonly reservation: Reservation; readonly at: number }>;
  readonly books: Map<string, PoolBook>;
  isRestored: boolean;
}

/**
 * Creates the capacity store of one process. Every call is one synchronous step. Counts of an ended window live as
 * long as reservations made from them.
 */
export function createMemoryStore(clock: Pick<Clock, "now">): CapacityStore {
  const environments = new Map<string, Environment>();
  const environmentOf = (id: string): Environment => {
    let environment = environments.get(id);
    if (!environment) {
      environments.set(
        id,
        environment = {
          counters: createCounters(),
          open: new Map(),
          late: new Map(),
          books: new Map(),
          isRestored: false,
        },
      );
    }
    return environment;
  };
  const totalOf = (environment: Environment, connectionId: string, now: number): number =>
    environment.counters.find(totalKey(connectionId), now)?.whole?.tokens ?? 0;

  return {
    shared: false,
    reserve: (request) =>
      step(() => reserve(environmentOf(request.environmentId), request, clock.now())),
    settle: (environmentId, id, used) =>
      step(() => {
        checkAmount(used);
        close(environmentOf(environmentId), id, used, clock.now());
      }),
    release: (environmentId, id) =>
      step(() => close(environmentOf(environmentId), id, nothing, clock.now())),
    expire: (environmentId, deadProcesses) =>
      step(() => expire(environmentOf(environmentId), new Set(deadProcesses), clock.now())),
    read: (environmentId, meters) =>
      step(() => {
        const { counters } = environmentOf(environmentId);
        const now = clock.now();
        return meters.map((meter) => {
          const entry = counters.entry(meter, now);
          return stateOf(meter, entry, findCount(entry, meter.dimension));
        });
      }),
    top: (environmentId, dimensioned, length) =>
      step(() => {
        const entry = environmentOf(environmentId).counters.find(dimensioned, clock.now());
        const { level, subjectId, period, dimensionName: name } = dimensioned;
        return fullest(entry, dimensioned, length).map(([value, count]) =>
          stateOf({ level, subjectId, period, dimension: { name, value } }, entry!, count)
        );
      }),
    add: (environmentId, counters) =>
      step(() => {
        for (const counter of counters) checkAmount(counter.used);
        add(environmentOf(environmentId), counters, clock.now());
      }),
    dump: (environmentId) =>
      step(() => {
        const environment = environmentOf(environmentId);
        return environment.isRestored ? dump(environment, clock.now()) : undefined;
      }),
    restore: (environmentId, counters) =>
      step(() => {
        const environment = environmentOf(environmentId);
        for (const counter of counters) checkAmount(counter.used);
        if (environment.isRestored) return false;
        environment.isRestored = true;
        add(environment, counters, clock.now());
        return true;
      }),
    reset: (environmentId, meter) =>
      step(() => {
        const environment = environmentOf(environmentId);
        environment.counters.forget(meter);
        if (meter.level === "connection" && meter.period === "minute") {
          environment.books.get(meter.subjectId)?.resetUse();
        }
      }),
    readPools: (environmentId, connectionId, windowSeconds) =>
      step(() => {
        const environment = environmentOf(environmentId);
        const now = clock.now();
        return environment.books.get(connectionId)
          ?.read(now, windowSeconds, totalOf(environment, connectionId, now));
      }),
    casShares: (change) =>
      step(() => bookOf(environmentOf(change.environmentId), change.connectionId).replace(change)),
    close: () => step(() => environments.clear()),
  };
}

const nothing: Amount = { requests: 0, tokens: 0 };

/** Runs a step at once; what it throws rejects, as from a store far away. */
function step<Result>(run: () => Result): Promise<Result> {
  try {
    return Promise.resolve(run());
  } catch (error) {
    return Promise.reject(error);
  }
}

function reserve(environment: Environment, request: ReserveRequest, now: number): ReserveReply {
  checkReservation(request);
  const { counters, open } = environment;
  const { meters, amount, pool: gate } = request;
  counters.sweep(sweepSteps, now);
  const entries = meters.map((meter) => counters.entry(meter, now));
  const counts = meters.map((meter, at) => countOf(entries[at]!, meter.dimension));
  const states = () => meters.map((meter, at) => stateOf(meter, entries[at]!, counts[at]!));
  if (open.has(request.reservationId)) return { admitted: true, meters: states() };

  const refused: Refusal[] = [];
  for (let at = 0; at < meters.length; at++) {
    const before = refused.length;
    checkLimits(meters[at]!, entries[at]!, counts[at]!, amount, refused);
    if (refused.length > before) counts[at]!.denied++;
  }
  const passage = gate && bookOf(environment, gate.connectionId)
    .pass(gate, amount.tokens, counts[totalMeterOf(request)]!.tokens, now);
  if (passage) refused.push(...passage.refused);
  if (refused.length > 0) {
    passage?.deny();
    return { admitted: false, refused, meters: states() };
  }

  for (const count of counts) {
    count.requests += amount.requests;
    count.tokens += amount.tokens;
    count.reservedRequests += amount.requests;
    count.reservedTokens += amount.tokens;
  }
  // One that expired and is made again has one end, not two.
  environment.late.delete(request.reservationId);
  open.set(request.reservationId, {
    processId: request.processId,
    endsAt: now + request.ttlMs,
    amount,
    counts,
    pool: passage?.take(),
  });
  return { admitted: true, meters: states() };
}

function checkLimits(
  meter: Meter,
  entry: Entry,
  count: Count,
  amount: Amount,
  refused: Refusal[],
): void {
  const { limit } = meter;
  if (limit.requests !== null && count.requests + amount.requests > limit.requests) {
    refused.push(refusalOf(meter, entry, "requests", count.requests));
  }
  if (limit.tokens !== null && count.tokens + amount.tokens > limit.tokens) {
    refused.push(refusalOf(meter, entry, "tokens", count.tokens));
  }
}

function refusalOf(meter: Meter, entry: Entry, axis: "requests" | "tokens", used: number): Refusal {
  return { gate: "capacity", meter, axis, used, resetAt: resetOf(entry) };
}

/** Ends a reservation with what it used, once. */
function close({ open, late }: Environment, id: string, used: Amount, now: number): void {
  const reservation = open.get(id);
  if (reservation) {
    open.delete(id);
    charge(reservation, used, reservation.amount);
    return;
  }
  // Its expiry has given everything back already.
  const expired = late.get(id);
  if (!expired || now - expired.at >= lateMs) return;
  late.delete(id);
  charge(expired.reservation, used, nothing);
}

/** Puts `used` in place of what was reserved. */
function charge({ counts, pool }: Reservation, used: Amount, reserved: Amount): void {
  for (const count of counts) {
    count.requests = Math.max(0, count.requests + used.requests - reserved.requests);
    count.tokens = Math.max(0, count.tokens + used.tokens - reserved.tokens);
    count.reservedRequests -= reserved.requests;
    count.reservedTokens -= reserved.tokens;
  }
  if (!pool) return;
  const difference = used.tokens - reserved.tokens;
  pool.use.tokens = Math.max(0, pool.use.tokens + difference);
  pool.demand.correct(pool.second, difference);
}

function expire(environment: Environment, dead: ReadonlySet<string>, now: number): number {
  const { open, late, counters } = environment;
  let expired = 0;
  for (const [id, reservation] of open) {
    if (reservation.endsAt > now && !dead.has(reservation.processId)) continue;
    open.delete(id);
    charge(reservation, nothing, reservation.amount);
    late.set(id, { reservation, at: now });
    expired++;
  }
  for (const [id, { at }] of late) {
    if (now - at < lateMs) break;
    late.delete(id);
  }
  // An environment without traffic is swept here.
  counters.sweep(1000, now);
  return expired;
}

function add({ counters }: Environment, added: readonly Counter[], now: number): void {
  for (const counter of added) {
    const entry = counters.entry(counter, now);
    if (entry.start !== counter.windowStart) continue;
    const count = countOf(entry, counter.dimension);
    count.requests += counter.used.requests;
    count.tokens += counter.used.tokens;
  }
}

function dump({ counters }: Environment, now: number): Counter[] {
  const dumped: Counter[] = [];
  for (
    const { level, subjectId, period, start: windowStart, whole, values } of counters.present(now)
  ) {
    if (period === "minute") continue;
    const key = { level, subjectId, period, windowStart };
    if (whole) dumped.push({ ...key, used: usedOf(whole) });
    for (const [name, counts] of values ?? []) {
      for (const [value, count] of counts) {
        dumped.push({ ...key, dimension: { name, value }, used: usedOf(count) });
      }
    }
  }
  return dumped;
}

function stateOf(meter: MeterKey, entry: Entry, count: Count | undefined): MeterState {
  const { level, subjectId, period, dimension } = meter;
  return {
    level,
    subjectId,
    period,
    ...(dimension &&
      { dimension: isShared(entry, dimension) ? { ...dimension, value: otherValue } : dimension }),
    used: { requests: count?.requests ?? 0, tokens: count?.tokens ?? 0 },
    reserved: { requests: count?.reservedRequests ?? 0, tokens: count?.reservedTokens ?? 0 },
    denied: count?.denied ?? 0,
    windowStart: entry.start,
    resetAt: resetOf(entry),
  };
}

function usedOf({ requests, tokens }: Count): Amount {
  return { requests, tokens };
}

function resetOf({ end }: Entry): number | null {
  return end === Infinity ? null : end;
}

function bookOf({ books }: Environment, connectionId: string): PoolBook {
  let book = books.get(connectionId);
  if (!book) books.set(connectionId, book = createPoolBook());
  return book;
}

function totalKey(subjectId: string): MeterKey {
  return { level: "connection", subjectId, period: "minute" };
}
