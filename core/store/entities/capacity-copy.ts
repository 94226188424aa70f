import { defineEntity, type InferEntity, p } from "@mikro-orm/core";

/** The counters of an environment's hour and longer windows, copied from the capacity store. */
export const CapacityCopy = defineEntity({
  name: "CapacityCopy",
  tableName: "capacity_copies",
  properties: {
    environmentId: p.uuid().primary(),
    counters: p.json<unknown[]>(),
    copiedAt: p.datetime(3),
  },
});
export type CapacityCopy = InferEntity<typeof CapacityCopy>;
