import { AuditRow as AuditRowSchema, AuditTokens } from "@vmx/schemas";
import type { AuditRow } from "@vmx/schemas";
import type { AuditPosition } from "./audit-query.ts";

/** Formats of an export. */
export type ExportFormat = "ndjson" | "csv";

/** Members that are no scalars; a CSV has a column for each number in the last two. */
const compound = new Set([
  "metadata",
  "apiKeyLabels",
  "warnings",
  "events",
  "legs",
  "originalCost",
  "tokens",
  "cost",
]);
const tokenColumns = Object.keys(AuditTokens.properties).map((name) => `tokens.${name}`);
const costColumns = ["cost.currency", "cost.priceVersion", "cost.total"];

/** Names an export may be asked for. */
export const exportFields: readonly string[] = Object.keys(AuditRowSchema.properties);

const csvColumns = exportFields.flatMap((name) =>
  name === "tokens"
    ? tokenColumns
    : name === "cost"
    ? costColumns
    : compound.has(name)
    ? []
    : [name]
);

/** Reading and writing a page occupies the process: at 1,000 rows requests waited up to 90 ms behind one. */
const pageRows = 100;

/**
 * Writes rows as text, page by page. Pages are separate statements that go on behind the last row: an export of
 * hours holds no transaction open, which would keep partitions from being dropped.
 *
 * @param fields members to write; all when undefined
 */
export async function* exportAudit(
  format: ExportFormat,
  fields: readonly string[] | undefined,
  page: (limit: number, after: AuditPosition | undefined) => Promise<readonly AuditRow[]>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const wanted = fields && new Set(fields);
  const columns = csvColumns.filter((column) => !wanted || wanted.has(column.split(".")[0]!));
  if (format === "csv") yield `${columns.join(",")}\r\n`;
  let after: AuditPosition | undefined;
  while (!signal.aborted) {
    const rows = await page(pageRows, after);
    if (rows.length > 0) {
      yield rows.map((row) => format === "csv" ? csvLine(row, columns) : jsonLine(row, wanted))
        .join("");
    }
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return;
    after = { timestamp: new Date(last.timestamp), requestId: last.requestId };
  }
}

function jsonLine(row: AuditRow, wanted: ReadonlySet<string> | undefined): string {
  const chosen = wanted
    ? Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name)))
    : row;
  return `${JSON.stringify(chosen)}\n`;
}

function csvLine(row: AuditRow, columns: readonly string[]): string {
  return `${columns.map((column) => csvCell(valueOf(row, column))).join(",")}\r\n`;
}

function valueOf(row: AuditRow, column: string): unknown {
  const [member, inner] = column.split(".");
  const value = row[member as keyof AuditRow];
  if (inner === undefined) return value;
  return value === null ? null : (value as Record<string, unknown>)[inner];
}

/** A cell (RFC 4180) no spreadsheet takes for a formula. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
