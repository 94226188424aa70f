import type { Pool } from "@vmx/schemas";
import { type Fault, GatewayError } from "../contract/errors.ts";
import { unitsPerPercent } from "../prioritization/pool-gate.ts";
import { AiResource, PoolDefinition, type StoredPool } from "../store/entities/index.ts";
import { cleanName } from "./field.ts";
import { diff } from "./merge-patch.ts";
import { trackedMembers } from "./present.ts";
import type { RouteContext } from "./route.ts";

type Em = ReturnType<RouteContext["services"]["database"]["em"]>;

/** The pools of an environment as answers show them. */
export function presentPools(row: PoolDefinition, workspaceId: string) {
  return {
    workspaceId,
    environmentId: row.environmentId,
    definition: row.definition.map((pool) => ({ ...pool, resources: [...pool.resources] })),
    ...trackedMembers(row),
  };
}

/** Reads the row of an environment. Throws `POOL_DEFINITION_NOT_FOUND`. */
export async function findPools(em: Em, environmentId: string): Promise<PoolDefinition> {
  const row = await em.findOne(PoolDefinition, { environmentId });
  if (row) return row;
  throw new GatewayError("POOL_DEFINITION_NOT_FOUND", "The environment has no pool definition");
}

/**
 * Checks what the schema cannot say about pools and answers them as they are stored.
 *
 * Throws `POOL_DEFINITION_INVALID` with one fault per broken rule.
 */
export async function acceptPools(
  em: Em,
  environmentId: string,
  pools: readonly Pool[],
): Promise<StoredPool[]> {
  const wanted = [...new Set(pools.flatMap(({ resources }) => resources))];
  const found = await em.find(AiResource, { environmentId, resourceId: { $in: wanted } }, {
    fields: ["resourceId"],
  });
  const known = new Set(found.map(({ resourceId }) => resourceId));
  const faults = [
    ...pools.flatMap(boundFaults),
    ...sumFaults(pools),
    ...nameFaults(pools),
    ...resourceFaults(pools, known),
  ];
  if (faults.length === 0) return pools.map((pool) => ({ ...pool, name: cleanName(pool.name) }));
  throw new GatewayError(
    "POOL_DEFINITION_INVALID",
    `Cannot accept the pool definition: ${faults[0]!.path.slice(1)} ${faults[0]!.message}`,
    { faults },
  );
}

/** The line of the activity trail. */
export function poolActivity(
  action: string,
  { workspaceId, environmentId, name }: RouteContext["environment"],
  before: readonly StoredPool[],
  after: readonly StoredPool[],
) {
  return {
    action,
    entity: { type: "pool-definition", id: environmentId, name },
    workspaceId,
    environmentId,
    diff: diff({ definition: before }, { definition: after }),
  };
}

function boundFaults({ minReservation, maxReservation }: Pool, index: number): Fault[] {
  const faults: Fault[] = [];
  for (const [member, value] of Object.entries({ minReservation, maxReservation })) {
    if (isWholeUnits(value)) continue;
    faults.push({
      path: `/definition/${index}/${member}`,
      code: "multipleOf",
      message: "must be in steps of 0.001",
    });
  }
  if (minReservation > maxReservation) {
    faults.push({
      path: `/definition/${index}/minReservation`,
      code: "maximum",
      message: `must not exceed maxReservation: ${minReservation} > ${maxReservation}`,
    });
  }
  return faults;
}

function sumFaults(pools: readonly Pool[]): Fault[] {
  // In whole units: sums of decimal fractions are not exact.
  const units = pools.reduce((sum, pool) => sum + toUnits(pool.minReservation), 0);
  if (units <= 100 * unitsPerPercent) return [];
  return [{
    path: "/definition",
    code: "maximum",
    message: `must not reserve more than 100 percent: the minimums come to ${
      units / unitsPerPercent
    }`,
  }];
}

function nameFaults(pools: readonly Pool[]): Fault[] {
  const seen = new Map<string, number>();
  return pools.flatMap(({ name }, index): Fault[] => {
    const key = cleanName(name).toLowerCase();
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, index);
      return [];
    }
    return [{
      path: `/definition/${index}/name`,
      code: "unique",
      message: `must be unique: entry ${first} has the name "${cleanName(name)}" already`,
    }];
  });
}

function resourceFaults(pools: readonly Pool[], known: ReadonlySet<string>): Fault[] {
  const owners = new Map<string, number>();
  return pools.flatMap(({ resources }, index) =>
    resources.flatMap((id, at): Fault[] => {
      const path = `/definition/${index}/resources/${at}`;
      if (!known.has(id)) {
        const message = "no AI resource of the environment has this id";
        return [{ path, code: "AI_RESOURCE_NOT_FOUND", message }];
      }
      const owner = owners.get(id);
      if (owner === undefined) {
        owners.set(id, index);
        return [];
      }
      const message = `must be in one pool only: entry ${owner} has the resource already`;
      return [{ path, code: "unique", message }];
    })
  );
}

function toUnits(percent: number): number {
  return Math.round(percent * unitsPerPercent);
}

function isWholeUnits(percent: number): boolean {
  return toUnits(percent) / unitsPerPercent === percent;
}
