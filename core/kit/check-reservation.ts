import type { Amount, MeterKey, ReserveRequest } from "../contract/capacity-store.ts";

/**
 * Refuses a reservation that no store may count: amounts and limits are whole numbers from 0 to 2^53 - 1, the life is
 * above 0, and a pool gate comes with its connection's minute meter. Throws a RangeError that names the value.
 */
export function checkReservation(request: ReserveRequest): void {
  checkAmount(request.amount);
  if (!(request.ttlMs > 0) || !Number.isSafeInteger(request.ttlMs)) {
    throw refusal(`ttlMs is ${request.ttlMs}, not a whole number above 0`);
  }
  for (const { limit } of request.meters) {
    if (limit.requests !== null) checkWhole("limit.requests", limit.requests);
    if (limit.tokens !== null) checkWhole("limit.tokens", limit.tokens);
  }
  const { pool } = request;
  if (pool === undefined) return;
  checkWhole("pool.limit", pool.limit);
  if (totalMeterOf(request) < 0) {
    throw refusal(`the pool gate lacks the minute meter of connection ${pool.connectionId}`);
  }
  if (pool.pool !== undefined && !pool.pools.some(({ name }) => name === pool.pool)) {
    throw refusal(`pool ${JSON.stringify(pool.pool)} is not among the gate's pools`);
  }
}

/** Refuses an amount that is no pair of whole numbers from 0 to 2^53 - 1, with a RangeError. */
export function checkAmount({ requests, tokens }: Amount): void {
  checkWhole("requests", requests);
  checkWhole("tokens", tokens);
}

/** Where the meter lies whose tokens are the total of the gate's connection; -1 when it is missing. */
export function totalMeterOf({ meters, pool }: ReserveRequest): number {
  return meters.findIndex((meter) => pool !== undefined && isTotal(meter, pool.connectionId));
}

function isTotal(meter: MeterKey, connectionId: string): boolean {
  return meter.level === "connection" && meter.period === "minute" &&
    meter.subjectId === connectionId && meter.dimension === undefined;
}

function checkWhole(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw refusal(`${name} is ${value}, not a whole number from 0 to 2^53 - 1`);
  }
}

function refusal(reason: string): RangeError {
  return new RangeError(`Cannot count capacity: ${reason}`);
}
