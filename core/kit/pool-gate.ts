import type { PoolBounds, PoolGate, Refusal } from "../contract/capacity-store.ts";

/** What the gate's rules look at: the present minute of one connection. */
export interface PoolGateUse {
  /** Tokens of the connection. */
  readonly total: number;
  /** Tokens of a pool. */
  usedBy(name: string): number;
  /** Share of a pool within its bounds, in units of 0.001 percent. */
  currentOf(pool: PoolBounds): number;
}

/** What the gate's rules say of a request. */
export interface PoolPassage {
  /** One refusal for each rule that is broken; none when the request may pass. */
  readonly refused: readonly Refusal[];
  /** The share the request's pool has when it passes, in units of 0.001 percent; 0 for traffic of no pool. */
  readonly next: number;
}

/** All of a connection in units of 0.001 percent. */
const whole = 100_000;

/**
 * The rules of the pool gate, for whoever counts in this process: a pool stays within its share, which grows from what
 * is free up to its maximum, and the minimums the other pools have not used stay free. Changes nothing. Whole numbers
 * throughout.
 *
 * @param tokens what the request asks for
 */
export function passPoolGate(gate: PoolGate, tokens: number, use: PoolGateUse): PoolPassage {
  const own = gate.pool === undefined
    ? undefined
    : gate.pools.find(({ name }) => name === gate.pool);
  const used = own ? use.usedBy(own.name) : 0;
  const current = own ? use.currentOf(own) : 0;
  const next = own ? nextShare(own, used + tokens, current, gate, use) : 0;
  const leaves = leavesMinimums(gate, tokens, use);
  if (leaves && typeof next === "number") return { refused: noRefusals, next };

  const refuse = (rule: "share" | "maximum" | "protected-minimum"): Refusal => ({
    gate: "prioritization",
    rule,
    pool: gate.pool,
    current,
    min: own?.min ?? 0,
    max: own?.max ?? 0,
    used,
    others: gate.pools.filter(({ name }) => name !== gate.pool)
      .map((pool) => ({ ...pool, current: use.currentOf(pool) })),
  });
  return {
    refused: [
      ...(typeof next === "string" ? [refuse(next)] : []),
      ...(leaves ? [] : [refuse("protected-minimum")]),
    ],
    next: current,
  };
}

const noRefusals: readonly Refusal[] = [];

/** The share a pool needs for `tokens` in a minute, or the rule that keeps it from having it. */
function nextShare(
  own: PoolBounds,
  tokens: number,
  current: number,
  { limit, pools }: PoolGate,
  use: PoolGateUse,
): number | "share" | "maximum" {
  if (tokens * whole <= limit * current) return current;
  const wanted = Math.ceil(tokens * whole / limit);
  if (!(wanted <= own.max)) return "maximum";
  const free = pools.reduce((rest, pool) => rest - use.currentOf(pool), whole);
  return wanted - current <= free ? wanted : "share";
}

/** Whether the minimums other pools have not used yet stay free. Scaled by `whole`. */
function leavesMinimums(gate: PoolGate, tokens: number, use: PoolGateUse): boolean {
  let needed = (use.total + tokens) * whole;
  for (const { name, min } of gate.pools) {
    if (name === gate.pool) continue;
    needed += Math.max(0, gate.limit * min - use.usedBy(name) * whole);
  }
  return needed <= gate.limit * whole;
}
