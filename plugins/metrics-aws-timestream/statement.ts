import type { UsageFilter, UsageQuestion } from "@vmx/core/contract";
import { dimensions, noNumber, noText, numericFields } from "./fields.ts";

/** Where the points are. */
export interface Place {
  readonly database: string;
  readonly table: string;
}

/**
 * Writes the statement that answers a question: rows of bucket, dimensions and values. The bucket is found among the
 * edges the question has, so that every calendar works.
 */
export function writeStatement({ database, table }: Place, question: UsageQuestion): string {
  const { bucketStarts, aggregates } = question;
  const at = "to_milliseconds(time)";
  const bucket = bucketStarts.length < 2
    ? "0"
    : `width_bucket(CAST(${at} AS double), ARRAY[${
      bucketStarts.map((start) => `${start}e0`).join(", ")
    }]) - 1`;
  const keys = [bucket, ...question.dimensions.map(field)];
  const values = aggregates.map(({ measure, function: name }) =>
    name.startsWith("p")
      ? `approx_percentile(${field(measure)}, ${Number(name.slice(1)) / 100})`
      : `${name}(${field(measure)})`
  );
  const conditions = question.filters.map((filter) => ` AND ${condition(filter)}`).join("");
  const groups = keys.map((_, index) => String(index + 1)).join(", ");
  return `SELECT ${[...keys, ...values].join(", ")} FROM "${database}"."${table}" ` +
    `WHERE time >= from_milliseconds(${question.start}) ` +
    `AND time < from_milliseconds(${question.end}) ` +
    `AND environmentId = ${literal(question.environmentId)} ` +
    `AND workspaceId = ${literal(question.workspaceId)}${conditions} GROUP BY ${groups}`;
}

function condition({ field: name, operator, value }: UsageFilter): string {
  const subject = field(name);
  const write = (one: unknown) =>
    one === null ? "NULL" : numericFields.has(name) ? number(one) : literal(String(one));
  switch (operator) {
    case "in":
    case "nin": {
      const list = (value as readonly unknown[]).map(write).join(", ");
      const isIn = `coalesce(${subject} IN (${list}), false)`;
      return operator === "in" ? isIn : `NOT ${isIn}`;
    }
    case "neq":
    case "is_not":
      return `${subject} IS DISTINCT FROM ${write(value)}`;
    case "eq":
      return value === null ? `${subject} IS NULL` : `${subject} = ${write(value)}`;
    default:
      return `${subject} ${comparisons[operator]} ${write(value)}`;
  }
}

const comparisons = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

function field(name: string): string {
  if (numericFields.has(name)) return `nullif(${name}, ${noNumber})`;
  if ((dimensions as readonly string[]).includes(name)) return `nullif(${name}, '${noText}')`;
  const key = /^metadata\.([\w.-]+)$/.exec(name)?.[1];
  if (key === undefined) throw new Error(`Cannot query usage by "${name}": no such column`);
  return `json_extract_scalar(metadata, '$["${key}"]')`;
}

/** Within quotes only a quote has a meaning, and doubled it has none. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function number(value: unknown): string {
  const read = Number(value);
  if (!Number.isFinite(read)) throw new Error(`Cannot query usage: "${value}" is no number`);
  return String(read);
}
