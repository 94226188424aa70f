import type { UsageGroup } from "../../../contract/metric-sink.ts";
import { bucketName } from "./calendar.ts";
import type { ReadQuestion } from "./read-question.ts";

/** An id with the names people know it by. */
export interface NamedId {
  readonly value: string;
  readonly label: string;
  readonly displayName: string;
}

/** Tells the name of an entity by the dimension its id stands in; undefined when it is gone. */
export type NameOf = (dimension: string, id: string) => string | undefined;

/** Dimensions that hold ids of entities. */
export const idDimensions: ReadonlySet<string> = new Set([
  "workspaceId",
  "environmentId",
  "resourceId",
  "connectionId",
  "apiKeyId",
  "userId",
]);

/** One row of an answer. */
export type UsageRow = Record<string, string | number | NamedId | null>;

/** Rows of an answer, in order. */
export interface UsageRows {
  readonly data: UsageRow[];
  readonly truncated: boolean;
}

interface Filled {
  readonly bucket: number;
  readonly dimensions: readonly (string | NamedId | null)[];
  readonly values: readonly (number | null)[];
}

/** Turns groups into rows: names the ids, fills buckets nothing fell into, sorts and cuts. */
export function answerQuestion(
  asked: ReadQuestion,
  groups: readonly UsageGroup[],
  nameOf: NameOf,
): UsageRows {
  const { question, zone, granularity, orderBy, limit } = asked;
  const named = groups.map((group) => ({
    ...group,
    dimensions: group.dimensions.map((value, index) =>
      nameId(question.dimensions[index]!, value, nameOf)
    ),
  }));
  const rows = sorted(filled(asked, named), asked, orderBy);
  const names = new Map<number, string>();
  const timeOf = (bucket: number) => {
    const name = names.get(bucket) ??
      bucketName(question.bucketStarts[bucket]!, granularity!, zone);
    names.set(bucket, name);
    return name;
  };
  return {
    truncated: rows.length > limit,
    data: rows.slice(0, limit).map(({ bucket, dimensions, values }) => {
      const row: UsageRow = granularity === undefined ? {} : { time: timeOf(bucket) };
      for (const [index, name] of question.dimensions.entries()) row[name] = dimensions[index]!;
      for (const [index, { measure }] of question.aggregates.entries()) {
        row[measure] = values[index]!;
      }
      return row;
    }),
  };
}

function nameId(dimension: string, value: string | null, nameOf: NameOf): string | NamedId | null {
  if (value === null || !idDimensions.has(dimension)) return value;
  const name = nameOf(dimension, value) ?? `${value} (deleted)`;
  return { value, label: name, displayName: name };
}

/** Adds a row for each bucket of each series in which nothing was measured. */
function filled({ question, granularity }: ReadQuestion, groups: readonly Filled[]): Filled[] {
  const empty = question.aggregates.map(({ function: name }) => name === "sum" ? 0 : null);
  const none = question.dimensions.map(() => null);
  if (granularity === undefined) {
    if (groups.length > 0 || question.dimensions.length > 0) return [...groups];
    return [{ bucket: 0, dimensions: none, values: empty }];
  }
  const series = new Map<string, Map<number, Filled>>();
  for (const group of groups) {
    const key = JSON.stringify(group.dimensions);
    const buckets = series.get(key) ?? new Map<number, Filled>();
    buckets.set(group.bucket, group);
    series.set(key, buckets);
  }
  if (series.size === 0) series.set("", new Map());
  const rows: Filled[] = [];
  for (const buckets of series.values()) {
    const dimensions = [...buckets.values()][0]?.dimensions ?? none;
    for (let bucket = 0; bucket < question.bucketStarts.length; bucket++) {
      rows.push(buckets.get(bucket) ?? { bucket, dimensions, values: empty });
      if (rows.length > maxRows) return rows;
    }
  }
  return rows;
}

const maxRows = 1_000_000;

function sorted(
  rows: Filled[],
  { question }: ReadQuestion,
  orderBy: ReadQuestion["orderBy"],
): Filled[] {
  const values = orderBy.map(([name, direction]) => {
    const sign = direction === "desc" ? -1 : 1;
    const dimension = question.dimensions.indexOf(name);
    const aggregate = question.aggregates.findIndex(({ measure }) => measure === name);
    const read = (row: Filled) =>
      name === "time"
        ? row.bucket
        : dimension >= 0
        ? textOf(row.dimensions[dimension]!, name)
        : row.values[aggregate]!;
    return (a: Filled, b: Filled) => compare(read(a), read(b), sign);
  });
  return rows.sort((a, b) => {
    for (const by of values) {
      const order = by(a, b);
      if (order !== 0) return order;
    }
    if (a.bucket !== b.bucket) return a.bucket - b.bucket;
    for (const index of question.dimensions.keys()) {
      const order = compare(textOf(a.dimensions[index]!), textOf(b.dimensions[index]!), 1);
      if (order !== 0) return order;
    }
    return 0;
  });
}

function textOf(value: string | NamedId | null, name?: string): string | number | null {
  if (value === null) return null;
  if (typeof value !== "string") return value.displayName;
  return name === "statusCode" ? Number(value) : value;
}

/** What is not there comes last, whichever way. */
function compare(one: string | number | null, other: string | number | null, sign: number): number {
  if (one === other) return 0;
  if (one === null) return 1;
  if (other === null) return -1;
  return one < other ? -sign : sign;
}
