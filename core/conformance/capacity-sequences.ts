import { deepEqual, equal } from "node:assert/strict";
import type { CapacityStore, Meter, PoolShare } from "../contract/capacity-store.ts";
import { createReference, type Reference } from "./capacity-reference.ts";
import { meter, poolsOf } from "./capacity-stores-requests.ts";

/** One step of a sequence: any four numbers from 0 to 255 mean something. */
export type SequenceStep = readonly [kind: number, which: number, amount: number, more: number];

/** A store and the reference that must not be told apart by any sequence of steps. */
export interface Sequence {
  readonly store: CapacityStore;
  readonly reference: Reference;
  /** An environment of its own. */
  readonly environmentId: string;
  /** Turns the store's clock; absent where it cannot be turned. */
  readonly turn?: (ms: number) => void;
  readonly made: string[];
}

/** Begins a sequence over a store that has not seen the environment. */
export function beginSequence(
  store: CapacityStore,
  environmentId: string,
  now: () => number,
  turn?: (ms: number) => void,
): Sequence {
  const reference = createReference(now);
  return { store, reference, environmentId, made: [], ...(turn && { turn }) };
}

const limit = 997;
const connection = meter({ tokens: limit, requests: 12 });
const others: readonly Meter[] = [
  meter({ period: "hour", tokens: 2_500 }),
  meter({ level: "resource", subjectId: "r", period: "week", requests: 9 }),
  meter({ level: "api-key", subjectId: "k", tokens: 700 }),
  meter({
    subjectId: "c",
    period: "day",
    requests: 4,
    dimension: { name: "source-ip", value: "a" },
  }),
  meter({
    subjectId: "c",
    period: "day",
    requests: 4,
    dimension: { name: "source-ip", value: "b" },
  }),
];
const all = [connection, ...others];
const pools = poolsOf({ low: [20, 60], high: [0, 50.5], tiny: [0.001, 100] });
const processes = ["p1", "p2", "p3"];

/**
 * Carries out one step on both, and holds every meter and share against the reference. Steps include what crashes
 * leave behind: answers nobody heard, attempts made twice, settles late and repeated, processes that died.
 */
export async function playStep(sequence: Sequence, step: SequenceStep): Promise<void> {
  await change(sequence, step);
  const { store, reference, environmentId } = sequence;
  const states = await store.read(environmentId, all);
  for (const [index, { used, reserved }] of states.entries()) {
    deepEqual({ used, reserved }, reference.count(all[index]!));
  }
  const state = await store.readPools(environmentId, "c", 30);
  if (!state) return;
  let sum = 0;
  for (const pool of pools) {
    const { current, tokens } = reference.pool(pool);
    const share: PoolShare = state.pools.find(({ name }) => name === pool.name)!;
    deepEqual([share.current, share.usedThisMinute], [current, tokens]);
    equal(share.current >= pool.min && share.current <= pool.max, true);
    sum += share.current;
  }
  equal(sum <= 100_000, true);
}

async function change(
  sequence: Sequence,
  [kind, which, amount, more]: SequenceStep,
): Promise<void> {
  const { store, reference, environmentId, made, turn } = sequence;
  const id = made[which % (made.length || 1)] ?? "none";
  const used = { requests: 1, tokens: amount * 3 };
  if (kind < 110) return await attempt(sequence, which, amount, more);
  if (kind < 150) {
    reference.close(id, used);
    return await store.settle(environmentId, id, used);
  }
  if (kind < 175) {
    reference.close(id, { requests: 0, tokens: 0 });
    return await store.release(environmentId, id);
  }
  if (kind < 195) {
    const dead = more < 128 ? [] : [processes[which % processes.length]!];
    return equal(await store.expire(environmentId, dead), reference.expire(dead));
  }
  if (kind < 205) {
    const target = all[which % all.length]!;
    const [state] = await store.read(environmentId, [target]);
    reference.add(target, used);
    return await store.add(environmentId, [{ ...target, windowStart: state!.windowStart, used }]);
  }
  if (kind < 212) {
    const target = all[which % all.length]!;
    reference.reset(target);
    return await store.reset(environmentId, target);
  }
  turn?.(kind < 235 ? more * 100 : more * 100_000);
}

async function attempt(
  { store, reference, environmentId, made }: Sequence,
  which: number,
  amount: number,
  more: number,
): Promise<void> {
  // Now and then an attempt is made again, as if its answer had been lost.
  const isAgain = made.length > 0 && more % 11 === 0;
  const reservationId = isAgain ? made[which % made.length]! : `r${made.length}`;
  if (!isAgain) made.push(reservationId);
  const pool = [undefined, "low", "high", "tiny"][which % 4];
  const request = {
    environmentId,
    reservationId,
    processId: processes[more % processes.length]!,
    ttlMs: 1_000 + more * 200,
    amount: { requests: 1, tokens: amount * 2 },
    meters: [connection, ...others.filter((_, index) => (which >> (index + 2)) % 2 === 1)],
    ...(more % 3 > 0 && { pool: { connectionId: "c", limit, pool, pools } }),
  };
  const reply = await store.reserve(request);
  equal(reply.admitted, reference.reserve(request));
}
