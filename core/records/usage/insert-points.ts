import type { BatchWriter } from "../insert.ts";
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

const members: readonly (readonly [column: string, type: string])[] = [
  ["timestamp", "timestamptz"],
  ["leg_index", "smallint"],
  ["audit_class", "smallint"],
  ["usage_class", "smallint"],
  ["api_key_labels", "text[]"],
  ["metadata", "jsonb"],
  ...dimensions.filter((name) => name !== "apiKeyLabel").map((name) =>
    [usageColumn(name), dimensionTypes[name] ?? "text"] as const
  ),
  ...measures.map((name) =>
    [
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
  const columns = members.map(([column]) => column).join(", ");
  const typed = members.map(([column, type]) => `${column} ${type}`).join(", ");
  const insert = `insert into ${schema}.usage_points (${columns})
    select ${columns} from json_to_recordset($1::json) as r(${typed}) on conflict do nothing`;
  return async (query, { records }) => {
    const points = records().flatMap(pointsOf);
    await query(insert, [JSON.stringify(points.map(rowOf))], "insert usage points");
    const minutes = new Set(points.map(({ timestamp }) => `${timestamp.slice(0, 16)}:00Z`));
    await query(
      `insert into ${schema}.usage_touched (minute) select unnest($1::timestamptz[])`,
      [[...minutes]],
      "insert usage touched",
    );
  };
}

function rowOf(point: UsagePoint): Record<string, unknown> {
  const row: Record<string, unknown> = {
    timestamp: point.timestamp,
    leg_index: point.legIndex,
    audit_class: point.auditClass,
    usage_class: point.usageClass,
    api_key_labels: point.apiKeyLabels,
    metadata: point.metadata,
  };
  for (const name of dimensions) {
    if (name !== "apiKeyLabel") row[usageColumn(name)] = point.dimensions[name];
  }
  for (const name of measures) row[usageColumn(name)] = point.measures[name];
  return row;
}
