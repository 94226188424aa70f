import type { UsageFilter, UsageQuestion } from "../../../contract/metric-sink.ts";
import {
  counts,
  type Dimension,
  dimensions as known,
  type Measure,
  measures,
  rollupDimensions,
  usageColumn,
} from "../measures.ts";
import { barSql } from "../sketch.ts";
import type { Level, Segment } from "./segments.ts";

/** A statement with its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

const tables: Readonly<Record<Level, string>> = {
  points: "usage_points",
  minutes: "usage_minutes",
  hours: "usage_hours",
  days: "usage_days",
};
const labelsOrNone = "case when cardinality(api_key_labels) = 0 then array[null]::text[] " +
  "else api_key_labels end";
const operators = { eq: "=", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/** Whether a question needs more than rollups keep. */
export function needsPoints({ dimensions, filters }: UsageQuestion): boolean {
  const kept: readonly string[] = rollupDimensions;
  return [...dimensions, ...filters.map(({ field }) => field)].some((name) => !kept.includes(name));
}

/**
 * Writes the statement of sums, counts and extremes: for each group `b`, the dimensions as `d0`..., and for each
 * measure `s`, `c`, `l` and `g` with its place.
 */
export function sumStatement(
  schema: string,
  question: UsageQuestion,
  segments: readonly Segment[],
  wanted: readonly Measure[],
  limit: number,
): Statement {
  const write = createWriter(schema, question);
  const parts = write.parts(segments, (level) =>
    wanted.map((measure, place) => {
      const column = usageColumn(measure);
      const index = measures.indexOf(measure) + 1;
      const [sum, count, least, greatest] = level === "points"
        ? [`sum(${column})::numeric`, `count(${column})`, `min(${column})`, `max(${column})`]
        : [
          `sum(sums[${index}])`,
          `sum(counts[${index}])`,
          `min(least_values[${index}])`,
          `max(greatest_values[${index}])`,
        ];
      return `, ${sum} as s${place}, ${count} as c${place}, ` +
        `${least}::double precision as l${place}, ${greatest}::double precision as g${place}`;
    }).join(""));
  const totals = wanted.map((_, place) =>
    `, sum(s${place})::double precision as s${place}, sum(c${place})::double precision as c${place}` +
    `, min(l${place}) as l${place}, max(g${place}) as g${place}`
  ).join("");
  return write.statement(
    `select ${write.keys}${totals} from (${parts}) as parts group by ${write.keys} ` +
      `order by ${write.keys} limit ${limit}`,
  );
}

/** Writes the statement of one measure's sketch: for each group and `bar`, the count `n`. */
export function sketchStatement(
  schema: string,
  question: UsageQuestion,
  segments: readonly Segment[],
  measure: Measure,
): Statement {
  const write = createWriter(schema, question);
  const index = measures.indexOf(measure);
  const column = usageColumn(measure);
  const parts = write.parts(
    segments,
    (level) =>
      level === "points"
        ? `, ${barSql(column)} as bar, count(*) as n`
        : ", k.key::int as bar, sum(k.value::bigint) as n",
    {
      from: (level) => level === "points" ? "" : `, jsonb_each_text(sketches -> '${index}') as k`,
      where: (level) => level === "points" ? ` and ${column} is not null` : "",
      group: ", bar",
    },
  );
  return write.statement(
    `select ${write.keys}, bar, sum(n)::double precision as n from (${parts}) as parts ` +
      `group by ${write.keys}, bar`,
  );
}

function createWriter(schema: string, question: UsageQuestion) {
  const values: unknown[] = [];
  const place = (value: unknown) => {
    values.push(value);
    return `$${values.length}`;
  };
  const environment = `environment_id = ${place(question.environmentId)} ` +
    `and workspace_id = ${place(question.workspaceId)}`;
  const { bucketStarts, dimensions } = question;
  const bucket = bucketStarts.length < 2
    ? "0"
    : `width_bucket(timestamp, ${
      place(bucketStarts.map((at) => new Date(at).toISOString()))
    }::timestamptz[]) - 1`;
  const selected = dimensions.map((name, index) =>
    name === "apiKeyLabel" ? `label as d${index}` : `${fieldSql(name, place)}::text as d${index}`
  );
  const unnested = dimensions.includes("apiKeyLabel")
    ? ` cross join lateral unnest(${labelsOrNone}) as label`
    : "";
  const conditions = question.filters.map((filter) => ` and ${conditionSql(filter, place)}`).join(
    "",
  );
  const keys = ["b", ...dimensions.map((_, index) => `d${index}`)].join(", ");

  return {
    keys,
    /** One select for each table that is read, all together. */
    parts(
      segments: readonly Segment[],
      columns: (level: Level) => string,
      more: {
        from: (level: Level) => string;
        where: (level: Level) => string;
        group: string;
      } = { from: () => "", where: () => "", group: "" },
    ): string {
      const levels = [...new Set(segments.map(({ level }) => level))];
      return levels.map((level) => {
        const ranges = segments.filter((segment) => segment.level === level).map(({ start, end }) =>
          `timestamp >= ${place(new Date(start))} and timestamp < ${place(new Date(end))}`
        );
        return `select ${[`${bucket} as b`, ...selected].join(", ")}${columns(level)} ` +
          `from ${schema}.${tables[level]}${unnested}${more.from(level)} ` +
          `where ${environment} and (${ranges.join(" or ")})${conditions}${more.where(level)} ` +
          `group by ${keys}${more.group}`;
      }).join(" union all ");
    },
    statement: (text: string): Statement => ({ text, values }),
  };
}

type Place = (value: unknown) => string;

/** The only names that reach a statement's text are those of the tables; all else is a value. */
function fieldSql(name: string, place: Place): string {
  if (name.startsWith("metadata.")) return `(metadata ->> ${place(name.slice(9))}::text)`;
  const found = ([...known, ...measures] as readonly string[]).includes(name);
  if (!found) throw new Error(`Cannot read usage by "${name}": no such field`);
  return usageColumn(name as Dimension | Measure);
}

function conditionSql({ field, operator, value }: UsageFilter, place: Place): string {
  if (field === "apiKeyLabel") return labelSql(operator, value, place);
  const numeric = field === "statusCode" || (measures as readonly string[]).includes(field);
  const type = numeric ? "double precision" : "text";
  const column = `${fieldSql(field, place)}::${type}`;
  const given = (one: unknown) =>
    `${place(numeric ? Number(one) : one === null ? null : String(one))}::${type}`;
  switch (operator) {
    case "in":
    case "nin": {
      const list = place(
        (value as readonly unknown[]).map((one) => numeric ? Number(one) : `${one}`),
      );
      const isIn = `coalesce(${column} = any(${list}::${type}[]), false)`;
      return operator === "in" ? isIn : `not ${isIn}`;
    }
    case "neq":
    case "is_not":
      return value === null
        ? `${column} is not null`
        : `${column} is distinct from ${given(value)}`;
    case "eq":
      if (value === null) return `${column} is null`;
      return `${column} = ${given(value)}`;
    default:
      return `${column} ${operators[operator]} ${given(value)}`;
  }
}

/** A key has any number of labels: a condition holds when one of them does, its negation when none does. */
function labelSql(operator: UsageFilter["operator"], value: UsageFilter["value"], place: Place) {
  if (value === null) return `cardinality(api_key_labels) ${operator === "eq" ? "=" : ">"} 0`;
  const list = place([value].flat().map(String));
  const some = (comparison: string) =>
    `exists (select from unnest(api_key_labels) as one where one ${comparison})`;
  if (operator === "eq" || operator === "in") return some(`= any(${list}::text[])`);
  if (operator === "neq" || operator === "nin" || operator === "is_not") {
    return `not ${some(`= any(${list}::text[])`)}`;
  }
  return some(`${operators[operator]} (${list}::text[])[1]`);
}

/** Whether a measure's percentiles follow from its sum and its count. */
export function isCount(measure: Measure): boolean {
  return counts.has(measure);
}
