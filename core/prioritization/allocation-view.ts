import type { ConnectionAllocation, PoolAllocation } from "@vmx/schemas";
import type { PoolBounds, PoolShare, PoolState } from "../contract/capacity-store.ts";
import type { AllocatedShare, Prioritization } from "../contract/prioritization.ts";
import type { GuardedStore } from "../capacity/guarded-store.ts";
import type { ConnectionView, EnvironmentView } from "../store/snapshot.ts";
import type { AllocationHistory, AllocationPoint } from "./allocation-history.ts";
import { percent, wholeConnection } from "./law.ts";
import { poolBounds, poolGateOf } from "./pool-gate.ts";

/** What the view is made from. */
export interface AllocationViewParts {
  readonly store: Pick<GuardedStore, "ask">;
  /** Undefined while the plugin cannot be had. */
  readonly prioritization: () => Promise<Prioritization | undefined>;
  readonly history: AllocationHistory;
}

/** Which part of the view is wanted. */
export interface AllocationQuery {
  readonly connectionId?: string | undefined;
  /** Only points of the history after this moment, in Unix milliseconds. */
  readonly since?: number | undefined;
}

/**
 * Shares, demand and past of the connections of an environment whose tokens pools share. While the store is away
 * the shares are those this process heard of last.
 */
export async function viewAllocation(
  parts: AllocationViewParts,
  environment: EnvironmentView,
  { connectionId, since }: AllocationQuery,
): Promise<readonly ConnectionAllocation[]> {
  if (environment.pools.length === 0) return [];
  const prioritization = await parts.prioritization();
  const connections = [...environment.connections.values()].filter((connection) =>
    (connectionId ?? connection.connectionId) === connection.connectionId
  );
  const views = connections.map((connection) =>
    viewConnection({ ...parts, prioritization }, environment, connection, since)
  );
  return (await Promise.all(views)).filter((view) => view !== undefined);
}

async function viewConnection(
  { store, prioritization, history }: Omit<AllocationViewParts, "prioritization"> & {
    readonly prioritization: Prioritization | undefined;
  },
  environment: EnvironmentView,
  connection: ConnectionView,
  since: number | undefined,
): Promise<ConnectionAllocation | undefined> {
  const limit = poolGateOf(environment, connection, undefined)?.limit;
  if (limit === undefined) return undefined;
  const { connectionId } = connection;
  const parameters = environment.settings.prioritization;
  const pools = poolBounds(environment);
  const state =
    await store.ask((capacity) =>
      capacity.readPools(environment.environmentId, connectionId, parameters.windowSeconds)
    ) ?? stateOf(history.latest(connectionId));
  const known = new Map(state.pools.map((share) => [share.name, share]));
  const next = prioritization?.recompute({ pools, state, limit, parameters });
  const shown = pools.map((bounds, index) =>
    presentPool(bounds, known.get(bounds.name), next?.shares[index])
  );
  const held = pools.reduce((sum, { name, min }) => sum + (known.get(name)?.current ?? min), 0);
  return {
    connectionId,
    limit,
    free: percent(Math.max(0, wholeConnection - held)),
    unassignedUsed: state.unassignedUsed,
    pools: shown,
    history: history.read(connectionId, since).map(presentPoint),
  };
}

function presentPool(
  { name, rank, min, max }: PoolBounds,
  share: PoolShare | undefined,
  next: AllocatedShare | undefined,
): PoolAllocation {
  return {
    name,
    rank,
    min: percent(min),
    current: percent(share?.current ?? min),
    max: percent(max),
    target: percent(next?.target ?? share?.current ?? min),
    demandTokens: share?.demand ?? 0,
    usedThisMinute: share?.usedThisMinute ?? 0,
    deniedThisMinute: share?.deniedThisMinute ?? 0,
    ...lastMoveOf(share, next),
  };
}

function lastMoveOf(
  share: PoolShare | undefined,
  next: AllocatedShare | undefined,
): Pick<PoolAllocation, "lastAction" | "reason" | "at"> {
  const { lastMove, lastGrowthAt = 0 } = share ?? {};
  // A gate grows a share without a word: its growth is the one no recomputation has told of.
  if (lastGrowthAt > (lastMove?.at ?? 0)) {
    return {
      lastAction: "up",
      reason: "grew when a request needed more than its share, taken from free share",
      at: new Date(lastGrowthAt).toISOString(),
    };
  }
  if (lastMove) {
    const { action, reason, at } = lastMove;
    return { lastAction: action, reason, at: new Date(at).toISOString() };
  }
  const reason = next?.action === "none" ? next.reason : "has not moved yet";
  return { lastAction: "none", reason, at: null };
}

function presentPoint({ at, pools }: AllocationPoint) {
  return {
    at: new Date(at).toISOString(),
    shares: Object.fromEntries(pools.map(({ name, current }) => [name, percent(current)])),
    demand: Object.fromEntries(pools.map(({ name, demand }) => [name, demand])),
  };
}

/** What is known without the store. */
function stateOf(point: AllocationPoint | undefined): PoolState {
  const pools = (point?.pools ?? []).map((pool): PoolShare => ({
    ...pool,
    lastGrowthAt: 0,
    usedThisMinute: 0,
    deniedThisMinute: 0,
  }));
  return { version: 0, now: point?.at ?? 0, unassignedUsed: 0, pools };
}
