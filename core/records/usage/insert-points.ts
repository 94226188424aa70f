import type { BatchWriter } from "../insert.ts";
import { jsonArray } from "../json-array.ts";
import { counts, dimensions, type Measure, measures, usageColumn } from "./measures.ts";
import { pointsOf, type UsagePoint } from "./points.ts";

/** Types of dimensions that are no text. */
const dimensionTypes: Readonly<Record<string, string>> = {
  workspaceId: "uuid",
  environmentId: "uuid",
  apiKeyId: "uuid",
  userId: "uuid",
  requestId: "uuid",
  statusCode: "smallint",
};

const fractional: ReadonlySet<Measure> = new Set([
  "tokensPerSecond",
  "timeToFirstToken",
  "requestDuration",
  "providerDuration",
  "gateDuration",
  "routingDuration",
]);

/** What is inserted of a point: the member of its JSON, the column and its type. */
const members: readonly (readonly [name: string, column: string, type: string])[] = [
  ["timestamp", "timestamp", "timestamptz"],
  ["legIndex", "leg_index", "smallint"],
  ["auditClass", "audit_class", "smallint"],
  ["usageClass", "usage_class", "smallint"],
  ["apiKeyLabels", "api_key_labels", "text[]"],
  ["metadata", "metadata", "jsonb"],
  ...dimensions.filter((name) => name !== "apiKeyLabel").map((name) =>
    [name, usageColumn(name), dimensionTypes[name] ?? "text"] as const
  ),
  ...measures.map((name) =>
    [
      name,
      usageColumn(name),
      fractional.has(name) ? "double precision" : counts.has(name) ? "smallint" : "bigint",
    ] as const
  ),
];

/**
 * The database sink: writes the points of records in the transaction of their audit rows, and notes the minutes they
 * touch for the rollups. Notes are rows of their own, so that nobody waits for another's transaction.
 */
export function createPointWriter(schema: string): BatchWriter {
  const columns = members.map(([, column]) => column).join(", ");
  const read = members.map(([name]) => `r."${name}"`).join(", ");
  const typed = members.map(([name, , type]) => `"${name}" ${type}`).join(", ");
  const insert = `insert into ${schema}.usage_points (${columns})
    select ${read} from json_to_recordset($1::json) as r(${typed}) on conflict do nothing`;
  return async (query, { records }) => {
    const points = records().flatMap(pointsOf);
    const rows = points.map((point) => Buffer.from(JSON.stringify(rowOf(point))));
    await query(insert, [jsonArray(rows)], "insert usage points");
    const minutes = new Set(points.map(({ timestamp }) => `${timestamp.slice(0, 16)}:00Z`));
    await query(
      `insert into ${schema}.usage_touched (minute) select unnest($1::timestamptz[])`,
      [[...minutes]],
      "insert usage touched",
    );
  };
}

/** The point without its inner objects. */
function rowOf({ dimensions, measures, ...rest }: UsagePoint): Record<string, unknown> {
  return { ...rest, ...dimensions, ...measures };
}
