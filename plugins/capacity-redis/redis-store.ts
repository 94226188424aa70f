import type {
  CapacityStore,
  Counter,
  MeterKey,
  MeterState,
  ReserveRequest,
} from "@vmx/core/contract";
import { checkAmount, checkReservation, totalMeterOf } from "@vmx/core/kit";
import type { RedisConnection, RedisScript } from "@vmx/shared-state-redis/connection";
import { expireScript, settleScript } from "./lua-close.ts";
import {
  addScript,
  claimRestoreScript,
  dumpScript,
  readScript,
  resetScript,
  topScript,
} from "./lua-copies.ts";
import { casSharesScript, readPoolsScript } from "./lua-pools.ts";
import { reserveScript } from "./lua-reserve.ts";
import { counterNamed, entryName, meterArguments } from "./meter-names.ts";
import { figuresPerMeter, poolStateFrom, reserveReplyFrom, stateFrom } from "./replies.ts";

type Reply = readonly (string | number)[];

/** Reservations released, and counters written, in one step of the server. */
const batch = 200;

/**
 * Creates the capacity store of all processes that use one Redis. Each call is one script, thus one round trip and
 * one atomic step, but for those that walk over many keys; all keys of an environment lie in one hash slot.
 */
export function createRedisStore(connection: RedisConnection): CapacityStore {
  const keyOf = (environmentId: string) =>
    `${connection.prefix}{${encodeURIComponent(environmentId)}}:`;
  const run = async <Result>(
    environmentId: string,
    script: RedisScript,
    args: readonly (string | number)[],
  ): Promise<Result> => await connection.run(script, keyOf(environmentId), args) as Result;

  const add = async (environmentId: string, counters: readonly Counter[]): Promise<void> => {
    for (const { used } of counters) checkAmount(used);
    for (let at = 0; at < counters.length; at += batch) {
      await run(environmentId, addScript, counters.slice(at, at + batch).flatMap(addArguments));
    }
  };

  return {
    shared: true,
    async reserve(request) {
      checkReservation(request);
      const args = reserveArguments(request);
      return reserveReplyFrom(request, await run(request.environmentId, reserveScript, args));
    },
    async settle(environmentId, reservationId, used) {
      checkAmount(used);
      await run(environmentId, settleScript, [reservationId, used.requests, used.tokens]);
    },
    release: async (environmentId, reservationId) =>
      await run(environmentId, settleScript, [reservationId, 0, 0]),
    async expire(environmentId, deadProcesses) {
      let sum = 0;
      while (true) {
        const [seen, released] = await run<[number, number]>(environmentId, expireScript, [
          batch,
          ...deadProcesses,
        ]);
        sum += released;
        if (seen < batch) return sum;
      }
    },
    async read(environmentId, meters) {
      const reply = await run<Reply>(environmentId, readScript, meters.flatMap(meterArguments));
      return meters.map((meter, index) => stateFrom(meter, reply, index * figuresPerMeter));
    },
    async top(environmentId, entry, count) {
      const { level, subjectId, period, dimensionName: name } = entry;
      const args = [entryName(entry), period, encodeURIComponent(name), count];
      const reply = await run<Reply>(environmentId, topScript, args);
      const states: MeterState[] = [];
      for (let at = 0; at < reply.length; at += 1 + figuresPerMeter) {
        const value = decodeURIComponent(String(reply[at]));
        const meter: MeterKey = { level, subjectId, period, dimension: { name, value } };
        states.push(stateFrom(meter, reply, at + 1));
      }
      return states;
    },
    add,
    async dump(environmentId) {
      const counters = new Map<string, Counter>();
      let cursor = "0";
      do {
        const page = await run<Reply | null>(environmentId, dumpScript, [cursor]);
        if (!page) return undefined;
        // A cursor may pass one counter twice.
        for (let at = 1; at < page.length; at += 3) {
          const suffix = String(page[at]);
          const counter = counterNamed(suffix, Number(page[at + 1]), Number(page[at + 2]));
          counters.set(suffix, counter);
        }
        cursor = String(page[0]);
      } while (cursor !== "0");
      return [...counters.values()];
    },
    async restore(environmentId, counters) {
      for (const { used } of counters) checkAmount(used);
      if (await run(environmentId, claimRestoreScript, []) !== 1) return false;
      await add(environmentId, counters);
      return true;
    },
    async reset(environmentId, meter) {
      const isTotal = meter.level === "connection" && meter.period === "minute";
      await run(environmentId, resetScript, [
        entryName(meter),
        meter.period,
        ...(isTotal ? [encodeURIComponent(meter.subjectId)] : []),
      ]);
    },
    async readPools(environmentId, connectionId, windowSeconds) {
      const entry = entryName({ level: "connection", subjectId: connectionId, period: "minute" });
      const args = [encodeURIComponent(connectionId), entry, windowSeconds];
      return poolStateFrom(await run(environmentId, readPoolsScript, args));
    },
    async casShares({ environmentId, connectionId, version, shares }) {
      const args = [encodeURIComponent(connectionId), version];
      const stored = shares.flatMap(({ name, current, lastGrowthAt, lastMove }) => [
        name,
        current,
        lastGrowthAt,
        lastMove ? JSON.stringify(lastMove) : "",
      ]);
      return await run(environmentId, casSharesScript, [...args, ...stored]) === 1;
    },
    close: () => connection.close(),
  };
}

function reserveArguments(request: ReserveRequest): (string | number)[] {
  const { reservationId, processId, ttlMs, amount, meters, pool: gate } = request;
  const args: (string | number)[] = [
    reservationId,
    processId,
    ttlMs,
    amount.requests,
    amount.tokens,
    meters.length,
  ];
  for (const meter of meters) {
    args.push(...meterArguments(meter), meter.limit.requests ?? -1, meter.limit.tokens ?? -1);
  }
  if (!gate) return args;
  const own = gate.pools.findIndex(({ name }) => name === gate.pool) + 1;
  args.push(encodeURIComponent(gate.connectionId), gate.limit, own, totalMeterOf(request) + 1);
  args.push(gate.pools.length);
  for (const { name, min, max } of gate.pools) args.push(name, min, max);
  return args;
}

function addArguments(counter: Counter): (string | number)[] {
  const { windowStart, used } = counter;
  return [...meterArguments(counter), windowStart, used.requests, used.tokens];
}
