import type { UsageFunction, UsageGroup, UsageQuestion } from "../../../contract/metric-sink.ts";
import type { Statements } from "../../../store/statements.ts";
import type { Measure } from "../measures.ts";
import { barOf, percentileOf, zeroBar } from "../sketch.ts";
import { coarsestLevel, segmentsOf } from "./segments.ts";
import { isCount, needsPoints, sketchStatement, sumStatement } from "./statement.ts";

/** How far back the tables of the database are to be read. */
export interface UsageReach {
  /** Unix milliseconds: raw points before are hidden. */
  readonly oldestPoint: number;
  /** Unix milliseconds: rollups before are hidden. */
  readonly oldestRollup: number;
}

/** Groups a question may come to in the process, at most. */
export const maxGroups = 100_000;
const maxTouched = 240;

/**
 * Answers a question from the tables of the database: from rollups where they have what is asked, from raw points
 * at the edges of the range and for minutes the rollups do not have yet.
 */
export async function queryDatabase(
  { read, schema }: Statements,
  question: UsageQuestion,
  reach: UsageReach,
): Promise<UsageGroup[]> {
  const raw = needsPoints(question);
  const coarsest = raw ? "points" : coarsestLevel(question.bucketStarts);
  const start = Math.max(
    question.start,
    coarsest === "points" ? reach.oldestPoint : reach.oldestRollup,
  );
  if (start >= question.end) return [];
  const touched = coarsest === "points" ? [] : await read<{ minute: Date }>(
    `select distinct minute from ${schema}.usage_touched
     where minute > $1 and minute < $2 order by minute desc limit ${maxTouched}`,
    [new Date(start - 60_000), new Date(question.end)],
  );
  const minutes = touched.map(({ minute }) => minute.getTime()).reverse();
  const segments = segmentsOf(start, question.end, coarsest, minutes);
  const wanted = [...new Set(question.aggregates.map(({ measure }) => measure as Measure))];
  const sums = sumStatement(schema, question, segments, wanted, maxGroups + 1);
  const percentiles = new Set(
    question.aggregates
      .filter(({ measure, function: name }) => name.startsWith("p") && !isCount(measure as Measure))
      .map(({ measure }) => measure as Measure),
  );
  const [rows, sketches] = await Promise.all([
    read<Row>(sums.text, sums.values),
    Promise.all([...percentiles].map(async (measure) => {
      const { text, values } = sketchStatement(schema, question, segments, measure);
      return [measure, barsByGroup(await read<Row>(text, values), question)] as const;
    })),
  ]);
  const bars = new Map(sketches);
  return rows.map((row) => ({
    bucket: row["b"] as number,
    dimensions: dimensionsOf(row, question),
    values: question.aggregates.map(({ measure, function: name }) => {
      const place = wanted.indexOf(measure as Measure);
      return valueOf(name, {
        sum: row[`s${place}`] as number | null,
        count: row[`c${place}`] as number,
        least: row[`l${place}`] as number | null,
        greatest: row[`g${place}`] as number | null,
        bars: bars.get(measure as Measure)?.get(groupKey(row, question)),
      });
    }),
  }));
}

type Row = Record<string, unknown>;

interface Values {
  readonly sum: number | null;
  readonly count: number;
  readonly least: number | null;
  readonly greatest: number | null;
  readonly bars: ReadonlyMap<number, number> | undefined;
}

function valueOf(
  name: UsageFunction,
  { sum, count, least, greatest, bars }: Values,
): number | null {
  switch (name) {
    case "sum":
      return sum ?? 0;
    case "avg":
      return count > 0 ? (sum ?? 0) / count : null;
    case "min":
      return least;
    case "max":
      return greatest;
    default: {
      if (count === 0) return null;
      const value = percentileOf(bars ?? barsOfCount(sum ?? 0, count), Number(name.slice(1)));
      // The middle of a bar can lie beyond all values in it.
      return value === null ? null : Math.min(Math.max(value, least!), greatest!);
    }
  }
}

function barsOfCount(sum: number, count: number): Map<number, number> {
  return new Map([[zeroBar, count - sum], [barOf(1), sum]]);
}

function barsByGroup(
  rows: readonly Row[],
  question: UsageQuestion,
): Map<string, Map<number, number>> {
  const groups = new Map<string, Map<number, number>>();
  for (const row of rows) {
    const key = groupKey(row, question);
    const bars = groups.get(key) ?? new Map<number, number>();
    bars.set(row["bar"] as number, row["n"] as number);
    groups.set(key, bars);
  }
  return groups;
}

function groupKey(row: Row, question: UsageQuestion): string {
  return JSON.stringify([row["b"], ...dimensionsOf(row, question)]);
}

function dimensionsOf(row: Row, { dimensions }: UsageQuestion): (string | null)[] {
  return dimensions.map((_, index) => row[`d${index}`] as string | null);
}
