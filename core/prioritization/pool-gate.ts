import { minuteTokenLimit } from "../capacity/limits.ts";
import type { PoolBounds, PoolGate } from "../contract/capacity-store.ts";
import type { ConnectionView, EnvironmentView } from "../store/snapshot.ts";

/** Shares are stored as whole numbers of this part of a percent. */
export const unitsPerPercent = 1000;

interface Compiled {
  readonly bounds: readonly PoolBounds[];
  readonly poolOf: ReadonlyMap<string, string>;
  readonly gates: WeakMap<ConnectionView, ReadonlyMap<string | undefined, PoolGate> | null>;
}

// Views never change and are the same objects from snapshot to snapshot, so what is compiled lives as long as they.
const compiled = new WeakMap<EnvironmentView, Compiled>();

/**
 * The gate a leg must pass, for `ReserveRequest.pool`; undefined when prioritization does not apply: the environment
 * has no pools, or the connection has no enabled limit of tokens per minute without a dimension.
 *
 * @param resourceId the leg's resource; undefined for ad-hoc calls, which are in no pool
 */
export function poolGateOf(
  environment: EnvironmentView,
  connection: ConnectionView,
  resourceId: string | undefined,
): PoolGate | undefined {
  if (environment.pools.length === 0) return undefined;
  const { poolOf, gates } = compile(environment);
  let found = gates.get(connection);
  if (found === undefined) gates.set(connection, found = gatesOf(environment, connection));
  return found?.get(resourceId === undefined ? undefined : poolOf.get(resourceId));
}

/** The pools of an environment in stored units, in the order of the definition. */
export function poolBounds(environment: EnvironmentView): readonly PoolBounds[] {
  return compile(environment).bounds;
}

function compile(environment: EnvironmentView): Compiled {
  const known = compiled.get(environment);
  if (known) return known;
  const { pools } = environment;
  const entry: Compiled = {
    bounds: pools.map(({ name, rank, minReservation, maxReservation }) => ({
      name,
      rank,
      min: Math.round(minReservation * unitsPerPercent),
      max: Math.round(maxReservation * unitsPerPercent),
    })),
    poolOf: new Map(
      pools.flatMap(({ name, resources }) => resources.map((id) => [id, name] as const)),
    ),
    gates: new WeakMap(),
  };
  compiled.set(environment, entry);
  return entry;
}

function gatesOf(
  environment: EnvironmentView,
  connection: ConnectionView,
): ReadonlyMap<string | undefined, PoolGate> | null {
  const limit = minuteTokenLimit(connection);
  if (limit === undefined) return null;
  const pools = poolBounds(environment);
  const { connectionId } = connection;
  const names = [undefined, ...pools.map(({ name }) => name)];
  return new Map(names.map((pool) => [pool, { connectionId, limit, pool, pools }]));
}
