import type {
  PoolBounds,
  PoolGate,
  PoolState,
  Refusal,
  ShareMove,
  SharesChange,
} from "@vmx/core/contract";
import { calendarWindow } from "@vmx/core/kit";
import { createDemand, type Demand } from "./demand.ts";

/** All of a connection in units of 0.001 percent. */
const whole = 100_000;

interface Share {
  current: number;
  lastGrowthAt: number;
  lastMove?: ShareMove | undefined;
}

/** What one pool has used in one minute. A reservation keeps the one it was taken from. */
export interface PoolUse {
  tokens: number;
  denied: number;
}

/** What a gate found: its refusals, and how to take what it let through. */
export interface Passage {
  readonly refused: readonly Refusal[];
  /** Counts the attempt as refused, by this gate or by a meter. */
  deny(): void;
  /** Takes the tokens and grows the share if that was the condition. */
  take(): PoolReservation | undefined;
}

/** The part of a reservation that lies with its pool. */
export interface PoolReservation {
  readonly use: PoolUse;
  readonly demand: Demand;
  readonly second: number;
}

/** Shares, use and demand of one connection's pools. */
export interface PoolBook {
  /** Applies the gate's rules to `tokens` more, without changing anything. */
  pass(gate: PoolGate, tokens: number, total: number, now: number): Passage;
  read(now: number, windowSeconds: number, total: number): PoolState;
  replace(change: SharesChange): boolean;
  /** Forgets what was used in the present minute. */
  resetUse(): void;
}

/** Creates the book of one connection. */
export function createPoolBook(): PoolBook {
  let version = 0;
  let shares = new Map<string, Share>();
  let minute = { start: 0, end: 0 };
  let used = new Map<string, PoolUse>();
  const demands = new Map<string, Demand>();

  const turn = (now: number): void => {
    if (now >= minute.start && now < minute.end) return;
    const { start, end } = calendarWindow("minute", now);
    minute = { start, end: end! };
    used = new Map();
  };
  const useOf = (name: string): PoolUse => {
    let use = used.get(name);
    if (!use) used.set(name, use = { tokens: 0, denied: 0 });
    return use;
  };
  const demandOf = (name: string): Demand => {
    let demand = demands.get(name);
    if (!demand) demands.set(name, demand = createDemand());
    return demand;
  };
  /** Pools seen for the first time begin at their minimum. */
  const open = (pools: readonly PoolBounds[]): void => {
    let isChanged = false;
    for (const { name, min } of pools) {
      if (shares.has(name)) continue;
      shares.set(name, { current: min, lastGrowthAt: 0 });
      isChanged = true;
    }
    if (isChanged) version++;
  };
  /** Bounds may have changed since the last recomputation. */
  const currentOf = ({ name, min, max }: PoolBounds): number =>
    Math.min(max, Math.max(min, shares.get(name)?.current ?? min));

  return {
    pass(gate, tokens, total, now) {
      turn(now);
      open(gate.pools);
      const own = gate.pool === undefined
        ? undefined
        : gate.pools.find(({ name }) => name === gate.pool);
      const refused: Refusal[] = [];
      const use = own && useOf(own.name);
      const current = own ? currentOf(own) : 0;
      const next = own && use ? nextShare(own, use.tokens + tokens, current, gate, currentOf) : 0;
      const refuse = (rule: "share" | "maximum" | "protected-minimum") =>
        refused.push({
          gate: "prioritization",
          rule,
          pool: gate.pool,
          current,
          min: own?.min ?? 0,
          max: own?.max ?? 0,
          used: use?.tokens ?? 0,
          others: gate.pools.filter(({ name }) => name !== gate.pool)
            .map((pool) => ({ ...pool, current: currentOf(pool) })),
        });
      if (typeof next === "string") refuse(next);
      if (!leavesMinimums(gate, tokens, total, used)) refuse("protected-minimum");

      const second = Math.floor(now / 1000);
      return {
        refused,
        deny() {
          if (!own || !use || refused.length === 0) return;
          use.denied++;
          // A pool that holds nothing yet can only show this way that it wants a share.
          if (typeof next === "string") demandOf(own.name).add(second, tokens);
        },
        take() {
          if (!own || !use) return undefined;
          if (typeof next === "number" && next > current) {
            Object.assign(shares.get(own.name)!, { current: next, lastGrowthAt: now });
            version++;
          }
          use.tokens += tokens;
          const demand = demandOf(own.name);
          demand.add(second, tokens);
          return { use, demand, second };
        },
      };
    },
    read(now, windowSeconds, total) {
      turn(now);
      const second = Math.floor(now / 1000);
      for (const [name, demand] of demands) {
        if (!shares.has(name) && demand.isOver(second)) demands.delete(name);
      }
      const names = new Set([...shares.keys(), ...used.keys(), ...demands.keys()]);
      const pools = [...names].map((name) => ({
        name,
        current: 0,
        lastGrowthAt: 0,
        ...shares.get(name),
        usedThisMinute: used.get(name)?.tokens ?? 0,
        deniedThisMinute: used.get(name)?.denied ?? 0,
        demand: demands.get(name)?.sum(second, windowSeconds) ?? 0,
      }));
      const ofPools = pools.reduce((sum, { usedThisMinute }) => sum + usedThisMinute, 0);
      return { version, now, unassignedUsed: Math.max(0, total - ofPools), pools };
    },
    replace(change) {
      if (change.version !== version) return false;
      shares = new Map(
        change.shares.map(({ name, current, lastGrowthAt, lastMove }) => [
          name,
          { current, lastGrowthAt, ...(lastMove && { lastMove }) },
        ]),
      );
      version++;
      return true;
    },
    resetUse() {
      used = new Map();
    },
  };
}

/** The share a pool needs for `tokens` in a minute, or the rule that keeps it from having it. */
function nextShare(
  own: PoolBounds,
  tokens: number,
  current: number,
  { limit, pools }: PoolGate,
  currentOf: (pool: PoolBounds) => number,
): number | "share" | "maximum" {
  if (tokens * whole <= limit * current) return current;
  const wanted = Math.ceil(tokens * whole / limit);
  if (!(wanted <= own.max)) return "maximum";
  const free = pools.reduce((rest, pool) => rest - currentOf(pool), whole);
  return wanted - current <= free ? wanted : "share";
}

/** Whether the minimums other pools have not used yet stay free. Whole numbers throughout: scaled by `whole`. */
function leavesMinimums(
  gate: PoolGate,
  tokens: number,
  total: number,
  used: ReadonlyMap<string, PoolUse>,
): boolean {
  let needed = (total + tokens) * whole;
  for (const { name, min } of gate.pools) {
    if (name === gate.pool) continue;
    needed += Math.max(0, gate.limit * min - (used.get(name)?.tokens ?? 0) * whole);
  }
  return needed <= gate.limit * whole;
}
