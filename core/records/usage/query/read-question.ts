import type { UsageGranularity, UsageQuery } from "@vmx/schemas";
import { GatewayError } from "../../../contract/errors.ts";
import type { UsageFilter, UsageFunction, UsageQuestion } from "../../../contract/metric-sink.ts";
import { dimensions, measures } from "../measures.ts";
import { bucketStarts, createZone, type Zone } from "./calendar.ts";

/** A query that was understood. */
export interface ReadQuestion {
  readonly question: UsageQuestion;
  readonly zone: Zone;
  readonly granularity: UsageGranularity | undefined;
  readonly orderBy: readonly (readonly [name: string, direction: "asc" | "desc"])[];
  readonly limit: number;
}

const maxBuckets = 5_000;
const maxFilters = 50;
const fields: ReadonlySet<string> = new Set([...dimensions, ...measures]);
const numbers: ReadonlySet<string> = new Set([...measures, "statusCode"]);
const metadataName = /^metadata\.[\w.-]+$/;

/** Checks what the schema of a usage query cannot say. Throws `USAGE_QUERY_INVALID` naming the field. */
export function readQuestion(
  query: UsageQuery,
  place: Pick<UsageQuestion, "workspaceId" | "environmentId">,
): ReadQuestion {
  const { dateRange } = query.filter;
  const start = readMoment(dateRange.start, "/filter/dateRange/start");
  const end = readMoment(dateRange.end, "/filter/dateRange/end");
  if (start >= end) refuse("/filter/dateRange/end", "must be later than start");
  for (const [index, name] of query.dimensions.entries()) {
    if (!(dimensions as readonly string[]).includes(name)) {
      refuse(`/dimensions/${index}`, `"${name}" is no dimension`);
    }
  }
  const zone = createZone(query.timeZone ?? "UTC");
  if (!zone) refuse("/timeZone", `"${query.timeZone}" is no time zone`);
  const { granularity } = query;
  const starts = granularity === undefined
    ? [start]
    : bucketStarts(start, end, granularity, zone, maxBuckets);
  if (!starts) refuse("/granularity", `"${granularity}" makes more than ${maxBuckets} buckets`);
  const selected = [...query.dimensions, ...query.metadataDimensions ?? []];
  const aggregates = Object.entries(query.agg).map(([measure, name]) => {
    if (!(measures as readonly string[]).includes(measure)) {
      refuse(`/agg/${measure}`, `"${measure}" is no measure`);
    }
    return { measure, function: name as UsageFunction };
  });
  const orderBy = Object.entries(query.orderBy ?? {});
  for (const [name] of orderBy) {
    const known = name === "time"
      ? granularity !== undefined
      : selected.includes(name) || name in query.agg;
    if (!known) refuse(`/orderBy/${name}`, `"${name}" is not selected`);
  }
  return {
    question: {
      ...place,
      start,
      end,
      bucketStarts: starts,
      ...(granularity === undefined ? {} : { granularity }),
      timeZone: zone.name,
      dimensions: selected,
      filters: readFilters(query),
      aggregates,
    },
    zone,
    granularity,
    orderBy,
    limit: query.limit ?? 1_000,
  };
}

/** The same question about the preceding range of equal length. */
export function precedingQuery(query: UsageQuery): UsageQuery {
  const { dateRange } = query.filter;
  const start = Date.parse(dateRange.start);
  const before = new Date(start - (Date.parse(dateRange.end) - start));
  return {
    ...query,
    filter: {
      ...query.filter,
      dateRange: { start: before.toISOString(), end: new Date(start).toISOString() },
    },
  };
}

function readFilters({ filter }: UsageQuery): UsageFilter[] {
  const given = Object.entries(filter.fields ?? {});
  if (given.length > maxFilters) refuse("/filter/fields", `has more than ${maxFilters} members`);
  return given.flatMap(([field, { operator, value }]) => {
    const path = `/filter/fields/${field}`;
    if (!fields.has(field) && !metadataName.test(field)) refuse(path, `"${field}" is no field`);
    const wantsList = operator === "in" || operator === "nin";
    if (wantsList !== Array.isArray(value)) {
      refuse(`${path}/value`, wantsList ? `must be a list with ${operator}` : "must not be a list");
    }
    if (Array.isArray(value) && value.length === 0) return [];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    const comparesOrder = ["gt", "gte", "lt", "lte"].includes(operator);
    if (comparesOrder && value === null) {
      refuse(`${path}/value`, `must not be null with ${operator}`);
    }
    const isNumber = (one: unknown) => one === null || one !== "" && Number.isFinite(Number(one));
    if (numbers.has(field) && !values.every(isNumber)) {
      refuse(`${path}/value`, "must be a number");
    }
    return [{ field, operator, value } as UsageFilter];
  });
}

function readMoment(text: string, path: string): number {
  const at = Date.parse(text);
  const year = new Date(at).getUTCFullYear();
  if (!(year >= 1970 && year <= 9999)) refuse(path, "must be a moment between 1970 and 9999");
  return at;
}

function refuse(path: string, rule: string): never {
  throw new GatewayError("USAGE_QUERY_INVALID", `Cannot query usage: ${path} ${rule}`, {
    faults: [{ path, code: "usage", message: rule }],
  });
}
