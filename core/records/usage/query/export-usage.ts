import { csvCell } from "../../audit-export.ts";
import type { UsageRows } from "./answer-question.ts";
import { idDimensions } from "./answer-question.ts";
import type { ReadQuestion } from "./read-question.ts";

/** Writes rows as CSV (RFC 4180), units in the header; ids have a column of their own beside the name. */
export function* exportUsage(
  { question, granularity }: ReadQuestion,
  { data }: UsageRows,
): Generator<string> {
  const header = granularity === undefined ? [] : [`time (${question.timeZone})`];
  for (const name of question.dimensions) {
    header.push(...(idDimensions.has(name) ? [name, `${name} name`] : [name]));
  }
  for (const { measure, function: name } of question.aggregates) {
    header.push(`${measure} ${name} (${unitOf(measure)})`);
  }
  yield `${header.map(csvCell).join(",")}\r\n`;
  for (const row of data) {
    const cells: unknown[] = granularity === undefined ? [] : [row["time"]];
    for (const name of question.dimensions) {
      const value = row[name];
      if (!idDimensions.has(name)) cells.push(value);
      else if (typeof value === "object" && value !== null) {
        cells.push(value.value, value.displayName);
      } else cells.push("", "");
    }
    for (const { measure } of question.aggregates) cells.push(row[measure]);
    yield `${cells.map(csvCell).join(",")}\r\n`;
  }
}

function unitOf(measure: string): string {
  if (measure === "tokensPerSecond") return "tokens/s";
  if (measure.endsWith("Tokens")) return "tokens";
  if (measure.endsWith("Cost")) return "nano-units";
  if (measure.endsWith("Count")) return "count";
  return "ms";
}
