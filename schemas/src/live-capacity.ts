import Type from "typebox";
import { closed, nullable, Timestamp, Uuid } from "./field.ts";

const count = (description: string) => Type.Integer({ minimum: 0, description });

/** One axis of a meter. */
const MeterAxis = Type.Object({
  limit: nullable(Type.Integer({ description: "Null means no limit" })),
  used: count("What is reserved is included"),
  reserved: count("Taken by requests still running"),
  remaining: nullable(Type.Integer({ minimum: 0, description: "Null without a limit" })),
}, closed);

/** Whose use a meter counts. */
export const LimitedLevel = Type.Enum(["connection", "resource", "api-key", "batch"]);
/** See the schema of the same name. */
export type LimitedLevel = Type.Static<typeof LimitedLevel>;

const period = Type.Enum(["minute", "hour", "day", "week", "month", "lifetime"]);

/** A limit with what is used of it now. */
export const LiveMeter = Type.Object({
  level: LimitedLevel,
  subjectId: Uuid,
  subjectName: Type.String(),
  dimension: Type.Optional(Type.String({
    description: "`source-ip`, or `metadata.` with the member's name",
  })),
  dimensionValue: Type.Optional(Type.String()),
  period,
  requests: MeterAxis,
  tokens: MeterAxis,
  windowStart: nullable(Type.String({ format: "date-time", description: "Null for a lifetime" })),
  resetAt: nullable(Type.String({ format: "date-time", description: "Null for a lifetime" })),
  deniedInWindow: count("Requests refused for this limit"),
  discovered: Type.Optional(Type.Object({
    requests: nullable(Type.Integer()),
    tokens: nullable(Type.Integer()),
    updatedAt: Timestamp,
  }, { ...closed, description: "What the provider last told of its own limits" })),
}, { ...closed, title: "LiveMeter", description: "A limit with what is used of it now" });
/** See the schema of the same name. */
export type LiveMeter = Type.Static<typeof LiveMeter>;

/** The limits of an environment with what is used of them now; on a stream, those that have changed. */
export const LiveCapacity = Type.Object({
  at: Timestamp,
  storeState: Type.Enum(["ok", "degraded", "local"], {
    description:
      "`local`: the store is away and this process keeps limits by itself; `degraded`: it keeps none or refuses",
  }),
  data: Type.Array(LiveMeter),
}, { ...closed, title: "LiveCapacity", description: "Limits with what is used of them now" });
/** See the schema of the same name. */
export type LiveCapacity = Type.Static<typeof LiveCapacity>;

/** Which counters to forget. */
export const CapacityReset = Type.Object({
  level: LimitedLevel,
  subjectId: Uuid,
  period,
}, {
  ...closed,
  title: "CapacityReset",
  description: "The counters of one subject and period, of all dimension values",
});
/** See the schema of the same name. */
export type CapacityReset = Type.Static<typeof CapacityReset>;
