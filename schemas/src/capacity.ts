import Type from "typebox";
import { closed, nullable } from "./field.ts";

const limit = nullable(Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "Null means no limit; to block, disable the connection, resource or key",
}));

/** One capacity limit. */
export const Capacity = Type.Object({
  period: Type.Enum(["minute", "hour", "day", "week", "month", "lifetime"]),
  requests: Type.Optional(limit),
  tokens: Type.Optional(limit),
  enabled: Type.Optional(Type.Boolean({
    default: true,
    description: "False switches the entry off",
  })),
  dimension: Type.Optional(nullable(Type.Enum(["source-ip", "metadata"], {
    description: "Counts each value of the dimension for itself",
  }))),
  dimensionField: Type.Optional(nullable(Type.String({
    pattern: "^[A-Za-z0-9_.-]{1,64}$",
    description: "Key of the metadata; needed with dimension `metadata`",
  }))),
}, { ...closed, title: "Capacity", description: "A limit of requests and tokens per period" });
/** See the schema of the same name. */
export type Capacity = Type.Static<typeof Capacity>;

/** The capacity limits of one object. */
export const CapacityList = Type.Array(Capacity, { maxItems: 50 });
