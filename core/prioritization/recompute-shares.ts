import type { PoolState, SharesChange } from "../contract/capacity-store.ts";
import type { LogFields } from "../contract/plugin.ts";
import type { Allocation, Prioritization } from "../contract/prioritization.ts";
import type { GuardedStore } from "../capacity/guarded-store.ts";
import type { ConnectionView, EnvironmentView } from "../store/snapshot.ts";
import { lawFaults, percent } from "./law.ts";
import { poolBounds, poolGateOf } from "./pool-gate.ts";

/** What a recomputation works with. */
export interface RecomputeParts {
  readonly store: Pick<GuardedStore, "ask">;
  readonly prioritization: Prioritization;
  /** Told of each breach of the allocation law, as a sentence with the state it was seen in. */
  readonly onViolation: (fault: string, fields: LogFields) => void;
}

/** What a recomputation saw and decided. */
export interface Recomputed {
  /** The state it started from. */
  readonly state: PoolState;
  readonly allocation: Allocation;
}

/** Tries before a connection whose gates keep growing shares is left to the next round. */
const mostTries = 5;

/**
 * Moves the shares of one connection. `idle`: no pool has asked yet, or the decision broke the law and was not
 * stored. `later`: the store is away, or gates kept growing shares meanwhile.
 *
 * @param isSteady whether definition and limits are old enough for the law to hold in what is stored
 */
export async function recomputeShares(
  parts: RecomputeParts,
  environment: EnvironmentView,
  connection: ConnectionView,
  isSteady: boolean,
): Promise<Recomputed | "idle" | "later"> {
  const limit = poolGateOf(environment, connection, undefined)?.limit;
  if (limit === undefined) return "idle";
  const { environmentId, settings: { prioritization: parameters } } = environment;
  const { connectionId } = connection;
  const pools = poolBounds(environment);
  for (let attempt = 0; attempt < mostTries; attempt++) {
    const reply = await parts.store.ask(async (store) => ({
      state: await store.readPools(environmentId, connectionId, parameters.windowSeconds),
    }));
    if (!reply) return "later";
    const { state } = reply;
    if (!state) return "idle";
    const found = isSteady ? lawFaults(pools, state.pools) : [];
    const allocation = parts.prioritization.recompute({ pools, state, limit, parameters });
    const made = lawFaults(pools, allocation.shares);
    for (const fault of [...found, ...made]) {
      parts.onViolation(fault, {
        environmentId,
        connectionId,
        limit,
        before: described(state.pools),
        after: described(allocation.shares),
      });
    }
    // What was decided against the law is not stored: the shares stay as they are.
    if (made.length > 0) return "idle";
    const change = changeOf(allocation, state, { environmentId, connectionId });
    if (!change || await parts.store.ask((store) => store.casShares(change))) {
      return { state, allocation };
    }
  }
  return "later";
}

/** The change to store; undefined when every share stays. */
function changeOf(
  { shares }: Allocation,
  state: PoolState,
  ids: Pick<SharesChange, "environmentId" | "connectionId">,
): SharesChange | undefined {
  const known = new Map(state.pools.map((share) => [share.name, share]));
  const isSame = shares.every(({ name, current, lastGrowthAt }) => {
    const before = known.get(name);
    return before?.current === current && before.lastGrowthAt === lastGrowthAt;
  });
  const isGone = state.pools.some(({ name, current }) =>
    current > 0 && !shares.some((share) => share.name === name)
  );
  if (isSame && !isGone) return undefined;
  return {
    ...ids,
    version: state.version,
    shares: shares.map(({ name, current, lastGrowthAt, action, reason }) => {
      const lastMove = action === "none"
        ? known.get(name)?.lastMove
        : { action, reason, at: state.now };
      return { name, current, lastGrowthAt, ...(lastMove ? { lastMove } : {}) };
    }),
  };
}

function described(shares: readonly { readonly name: string; readonly current: number }[]) {
  return Object.fromEntries(shares.map(({ name, current }) => [name, percent(current)]));
}
