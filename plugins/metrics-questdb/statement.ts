import type { UsageFilter, UsageQuestion } from "@vmx/core/contract";
import { columns, metadataMember, numericColumns } from "./columns.ts";

/** Buckets of one length, one after the other. */
interface Run {
  readonly first: number;
  readonly start: number;
  readonly end: number;
  readonly lengthMs: number;
}

/**
 * Writes the statement that answers a question: rows of bucket, dimensions and values, as the question has them.
 * Buckets of equal length are counted by division; where a calendar makes others, a part of the statement begins.
 */
export function writeStatement(table: string, question: UsageQuestion): string {
  const { dimensions, aggregates } = question;
  const keys = dimensions.map((name, index) => `${column(name)} d${index}`);
  const values = aggregates.map(({ measure, function: name }, index) => {
    const argument = column(measure);
    const value = name.startsWith("p")
      ? `approx_percentile(${argument}, ${Number(name.slice(1)) / 100}, 3)`
      : `${name}(${argument})`;
    return `${value} v${index}`;
  });
  const conditions = question.filters.map((filter) => ` AND ${condition(filter)}`).join("");
  const parts = runsOf(question).map(({ first, start, end, lengthMs }) => {
    // Counted from the run's first bucket, which may begin before the range.
    const origin = micros(question.bucketStarts[first]!);
    const bucket = `(cast(ts AS LONG) - ${origin}) / ${micros(lengthMs)} + ${first} b`;
    return `SELECT ${[bucket, ...keys, ...values].join(", ")} FROM ${table} ` +
      `WHERE ts >= ${micros(start)} AND ts < ${micros(end)} ` +
      `AND environmentId = ${literal(question.environmentId)} ` +
      `AND workspaceId = ${literal(question.workspaceId)}${conditions} ` +
      `GROUP BY ${["b", ...dimensions.map((_, index) => `d${index}`)].join(", ")}`;
  });
  return parts.join(" UNION ALL ");
}

function runsOf({ start, end, bucketStarts }: UsageQuestion): Run[] {
  const runs: Run[] = [];
  for (const [index, from] of bucketStarts.entries()) {
    const next = bucketStarts[index + 1] ?? end;
    const last = runs.at(-1);
    const lengthMs = Math.max(next - from, 1);
    // The last bucket may go on behind the range: its length does not matter.
    const isLast = index === bucketStarts.length - 1;
    if (last && (lengthMs === last.lengthMs || isLast && lengthMs < last.lengthMs)) {
      runs[runs.length - 1] = { ...last, end: Math.min(next, end) };
    } else {
      runs.push({ first: index, start: Math.max(from, start), end: Math.min(next, end), lengthMs });
    }
  }
  return runs;
}

function condition({ field, operator, value }: UsageFilter): string {
  const subject = column(field);
  const write = (one: unknown) =>
    one === null ? "null" : numericColumns.has(field) ? number(one) : literal(String(one));
  switch (operator) {
    case "in":
    case "nin": {
      const list = (value as readonly unknown[]).map(write).join(", ");
      return operator === "in" ? `${subject} IN (${list})` : `NOT (${subject} IN (${list}))`;
    }
    case "neq":
    case "is_not":
      return value === null ? `${subject} IS NOT NULL` : `${subject} != ${write(value)}`;
    case "eq":
      return value === null ? `${subject} IS NULL` : `${subject} = ${write(value)}`;
    default:
      return `${subject} ${comparisons[operator]} ${write(value)}`;
  }
}

const comparisons = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

function column(name: string): string {
  if (columns.has(name)) return name;
  const key = /^metadata\.([\w.-]+)$/.exec(name)?.[1];
  if (key === undefined) throw new Error(`Cannot query usage by "${name}": no such column`);
  return `json_extract(metadata, '$.${metadataMember(key)}')::varchar`;
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

function micros(ms: number): string {
  return String(ms * 1_000);
}
