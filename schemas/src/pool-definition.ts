import Type from "typebox";
import { closed, Name, nullable, Timestamp, trackedFields, Uuid } from "./field.ts";

const percent = (description: string) => Type.Number({ minimum: 0, maximum: 100, description });

/** One pool of resources. */
export const Pool = Type.Object({
  name: Name,
  rank: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description:
      "Lower is served first; of equal ranks the earlier pool, and neither takes from the other",
  }),
  resources: Type.Array(Uuid, {
    maxItems: 1000,
    description: "Resources of the pool; each is in one pool at most",
  }),
  minReservation: percent(
    "Percent of a connection's minute tokens that stay the pool's own, in steps of 0.001",
  ),
  maxReservation: percent("Percent the pool never exceeds, in steps of 0.001"),
}, {
  ...closed,
  title: "Pool",
  description: "A group of resources that share a connection with others",
});
/** See the schema of the same name. */
export type Pool = Type.Static<typeof Pool>;

const Pools = Type.Array(Pool, { maxItems: 50 });

/** The pools of an environment. */
export const PoolDefinition = Type.Object({
  workspaceId: Uuid,
  environmentId: Uuid,
  definition: Pools,
  ...trackedFields,
}, { ...closed, title: "PoolDefinition", description: "The pools of an environment" });
/** See the schema of the same name. */
export type PoolDefinition = Type.Static<typeof PoolDefinition>;

/** Body that sets the pools of an environment. */
export const PoolDefinitionPut = Type.Object({ definition: Pools }, {
  ...closed,
  title: "PoolDefinitionPut",
  description: "All pools of an environment, in place of those there are",
});
/** See the schema of the same name. */
export type PoolDefinitionPut = Type.Static<typeof PoolDefinitionPut>;

/** Body that changes the pools of an environment. */
export const PoolDefinitionPatch = Type.Object({
  definition: Type.Optional(nullable(Pools)),
}, {
  ...closed,
  title: "PoolDefinitionPatch",
  description: "Changes of the pools of an environment; a list replaces the whole list",
});
/** See the schema of the same name. */
export type PoolDefinitionPatch = Type.Static<typeof PoolDefinitionPatch>;

const tokens = (description: string) => Type.Number({ minimum: 0, description });

/** What one pool has of a connection now. */
export const PoolAllocation = Type.Object({
  name: Type.String(),
  rank: Type.Integer(),
  min: Type.Number(),
  current: Type.Number({ description: "Percent of the connection's minute tokens" }),
  max: Type.Number(),
  target: Type.Number({ description: "The percentage its demand asks for, within its bounds" }),
  demandTokens: tokens("Tokens asked for within the window of the environment's settings"),
  usedThisMinute: tokens("Tokens used or reserved in this calendar minute"),
  deniedThisMinute: Type.Integer({
    minimum: 0,
    description: "Requests refused by the pool's rules",
  }),
  lastAction: Type.Enum(["up", "down", "none"]),
  reason: Type.String({ description: "Why the share moved last, or why it has not" }),
  at: nullable(Timestamp),
}, { ...closed, title: "PoolAllocation", description: "What one pool has of a connection now" });
/** See the schema of the same name. */
export type PoolAllocation = Type.Static<typeof PoolAllocation>;

const byPool = Type.Record(Type.String(), Type.Number());

/** How pools share one connection. */
export const ConnectionAllocation = Type.Object({
  connectionId: Uuid,
  limit: Type.Integer({ description: "Tokens per minute of the connection" }),
  free: Type.Number({ description: "Percent no pool holds" }),
  unassignedUsed: tokens("Tokens of this minute used by requests of no pool"),
  pools: Type.Array(PoolAllocation),
  history: Type.Array(
    Type.Object({
      at: Timestamp,
      shares: byPool,
      demand: byPool,
    }, closed),
    { description: "One point per second for an hour, one per minute for a day; the oldest first" },
  ),
}, { ...closed, title: "ConnectionAllocation", description: "How pools share one connection" });
/** See the schema of the same name. */
export type ConnectionAllocation = Type.Static<typeof ConnectionAllocation>;

/** How pools share the connections of an environment. */
export const AllocationAnswer = Type.Object({
  at: Timestamp,
  pools: Type.Integer({ description: "How many pools the environment has" }),
  data: Type.Array(ConnectionAllocation),
}, {
  ...closed,
  title: "AllocationAnswer",
  description: "How pools share the connections of an environment",
});
/** See the schema of the same name. */
export type AllocationAnswer = Type.Static<typeof AllocationAnswer>;
