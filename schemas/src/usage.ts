import Type from "typebox";
import { AnyObject, closed } from "./field.ts";

const FieldName = Type.String({ minLength: 1, maxLength: 140 });
const Scalar = Type.Union([Type.String({ maxLength: 512 }), Type.Number(), Type.Null()]);

/** A condition on one field of a usage query. */
export const UsageCondition = Type.Object({
  operator: Type.Enum(["eq", "neq", "in", "nin", "gt", "gte", "lt", "lte", "is_not"]),
  value: Type.Union([
    Scalar,
    Type.Array(Type.Union([Type.String({ maxLength: 512 }), Type.Number()]), { maxItems: 1_000 }),
  ]),
}, { ...closed, title: "UsageCondition" });
/** See the schema of the same name. */
export type UsageCondition = Type.Static<typeof UsageCondition>;

/** Units of buckets. */
export const UsageGranularity = Type.Enum([
  "second",
  "second_5",
  "second_10",
  "second_15",
  "second_30",
  "minute",
  "hour",
  "day",
  "week",
  "month",
  "year",
]);
/** See the schema of the same name. */
export type UsageGranularity = Type.Static<typeof UsageGranularity>;

/** A question about usage. */
export const UsageQuery = Type.Object({
  filter: Type.Object({
    dateRange: Type.Object({
      start: Type.String({ format: "date-time", description: "Inclusive" }),
      end: Type.String({ format: "date-time", description: "Exclusive" }),
    }, closed),
    fields: Type.Optional(Type.Record(FieldName, UsageCondition, {
      description: "Dimension, measure or `metadata.<key>` -> condition",
    })),
  }, closed),
  agg: Type.Record(
    Type.String({ minLength: 1, maxLength: 64 }),
    Type.Enum(["sum", "avg", "min", "max", "p50", "p90", "p95", "p99"]),
    { minProperties: 1, maxProperties: 21, description: "Measure -> function" },
  ),
  dimensions: Type.Array(FieldName, { maxItems: 4, uniqueItems: true }),
  metadataDimensions: Type.Optional(
    Type.Array(Type.String({ pattern: "^metadata\\.[\\w.-]+$", maxLength: 140 }), {
      maxItems: 2,
      uniqueItems: true,
    }),
  ),
  granularity: Type.Optional(UsageGranularity),
  timeZone: Type.Optional(Type.String({ maxLength: 64, description: "IANA name", default: "UTC" })),
  orderBy: Type.Optional(Type.Record(FieldName, Type.Enum(["asc", "desc"]))),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000 })),
  compare: Type.Optional(Type.Enum(["previous"], {
    description: "Adds the answer for the preceding range of equal length",
  })),
}, { ...closed, title: "UsageQuery" });
/** See the schema of the same name. */
export type UsageQuery = Type.Static<typeof UsageQuery>;

const rows = {
  data: Type.Array(AnyObject, {
    description: "Members are `time`, dimensions and measures; ids are {value, label, displayName}",
  }),
  truncated: Type.Boolean({ description: "Whether there were more rows than the limit" }),
};

/** The answer of a usage query. */
export const UsageAnswer = Type.Object({
  ...rows,
  sink: Type.String({ description: "Id of the sink that answered" }),
  previous: Type.Optional(Type.Object(rows, closed)),
}, { ...closed, title: "UsageAnswer" });
/** See the schema of the same name. */
export type UsageAnswer = Type.Static<typeof UsageAnswer>;
