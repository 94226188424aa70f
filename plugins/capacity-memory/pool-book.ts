import type {
  PoolBounds,
  PoolGate,
  PoolState,
  Refusal,
  ShareMove,
  SharesChange,
} from "@vmx/core/contract";
import { calendarWindow, passPoolGate } from "@vmx/core/kit";
import { createDemand, type Demand } from "./demand.ts";

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
      const { refused, next } = passPoolGate(gate, tokens, {
        total,
        usedBy: (name) => used.get(name)?.tokens ?? 0,
        currentOf,
      });
      const own = gate.pools.find(({ name }) => name === gate.pool);
      const second = Math.floor(now / 1000);
      return {
        refused,
        deny() {
          if (!own || refused.length === 0) return;
          useOf(own.name).denied++;
          // A pool that holds nothing yet can only show this way that it wants a share.
          const lacksShare = refused.some((one) =>
            one.gate === "prioritization" && one.rule !== "protected-minimum"
          );
          if (lacksShare) demandOf(own.name).add(second, tokens);
        },
        take() {
          if (!own) return undefined;
          if (next > currentOf(own)) {
            Object.assign(shares.get(own.name)!, { current: next, lastGrowthAt: now });
            version++;
          }
          const use = useOf(own.name);
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
