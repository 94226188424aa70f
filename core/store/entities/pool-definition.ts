import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { tracked } from "./tracked.ts";

/** One pool of an environment's pool definition. */
export interface StoredPool {
  readonly name: string;
  readonly rank: number;
  readonly resources: readonly string[];
  readonly minReservation: number;
  readonly maxReservation: number;
}

/** The pools of an environment; at most one row per environment. */
export const PoolDefinition = defineEntity({
  name: "PoolDefinition",
  tableName: "pool_definitions",
  properties: {
    environmentId: p.uuid().primary(),
    definition: p.json<StoredPool[]>().onCreate(() => []),
    ...tracked,
  },
});
export type PoolDefinition = InferEntity<typeof PoolDefinition>;
